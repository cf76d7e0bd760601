// The node's command line, as an operator types it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { cryptoWaitReady } from "@polkadot/util-crypto";

import { developmentAccounts } from "./client.mjs";
import { nodeBinary } from "./node.mjs";
import { scratchFolder } from "./worker.mjs";

const run = (...words) => spawnSync(nodeBinary(), words, { encoding: "utf8", maxBuffer: 1 << 26 });

describe("the node's command line", () => {
  const folder = scratchFolder();

  test("explains itself with examples", () => {
    const { status, stdout } = run("--help");
    assert.equal(status, 0);
    assert.match(stdout, /--dev/);
    assert.match(stdout, /[Ee]xample/);
  });

  test("refuses a database that it does not have and names the one it has", () => {
    const { status, stderr } = run("--dev", "--database", "rocksdb");
    assert.notEqual(status, 0);
    assert.match(stderr, /rocksdb/);
    assert.match(stderr, /paritydb/);
  });

  test("writes addresses as the chain does", async () => {
    await cryptoWaitReady();
    const { status, stdout, stderr } = run("key", "inspect", "//Alice", "--output-type", "json");
    assert.equal(status, 0, stderr);
    assert.equal(JSON.parse(stdout).ss58Address, developmentAccounts().alice.address);
  });

  for (const chain of ["dev", "local"]) {
    test(`writes the chain specification ${chain}`, () => {
      const file = join(folder, `${chain}.json`);
      const { status, stderr } = run("export-chain-spec", "--chain", chain, "--output", file);
      assert.equal(status, 0, stderr);
      const specification = JSON.parse(readFileSync(file, "utf8"));
      assert.equal(specification.properties.tokenSymbol, "OPEN");
      assert.equal(specification.properties.ss58Format, 1612);
    });
  }
});
