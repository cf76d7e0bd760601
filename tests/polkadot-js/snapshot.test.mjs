// scripts/snapshot.sh: what it refuses, and a node that goes on from what it restored.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { ask, exportSpecification, nodeBinary, startNode } from "./node.mjs";
import { mountSmallDisk } from "./small-disk.mjs";
import { scratchFolder } from "./worker.mjs";

const SCRIPT = fileURLToPath(new URL("../../scripts/snapshot.sh", import.meta.url));
/** Where a development chain keeps its database, keys and network key. */
const CHAIN = join("chains", "openledger_dev");

function refused(result, reason) {
  assert.notEqual(result.status, 0, result.stdout);
  assert.match(result.stderr, reason);
}

describe("a snapshot", { timeout: 300_000 }, () => {
  const folder = scratchFolder();
  const [original, file] = [join(folder, "original"), join(folder, "dev.tar.zst")];
  const specification = join(folder, "dev.json");
  let node;

  /** Runs the script; the same chain and node in all of it. */
  const snapshot = (command, ...words) => {
    const own = ["--chain", specification, "--node", nodeBinary()];
    return spawnSync(SCRIPT, [command, ...own, ...words], { encoding: "utf8" });
  };

  const height = async () => Number((await ask(node.url, "chain_getHeader")).number);
  const reaches = async (wanted) => {
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      if ((await height()) >= wanted) return;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`the node does not reach block ${wanted}`);
  };
  const restore = (input, base, ...more) => snapshot("restore", "--input", input, "--base-path", base, ...more);
  /** A copy of the snapshot with its manifest, to be damaged. */
  const copy = (name) => {
    const path = join(folder, name);
    copyFileSync(file, path);
    copyFileSync(`${file}.manifest`, `${path}.manifest`);
    return path;
  };

  before(async () => {
    exportSpecification("dev", specification, "--raw");
    node = await startNode({ folder: original });
    await reaches(3);
  });
  after(() => node?.stop());

  test("is not made while the node runs", () => {
    const made = snapshot("create", "--base-path", original, "--output", file);
    refused(made, /running.*stop it/);
    assert.ok(!existsSync(file) && !existsSync(`${file}.partial`));
  });

  test("is made of a stopped node, without its keys", async () => {
    await node.stop();
    node = undefined;
    const { status, stdout, stderr } = snapshot("create", "--base-path", original, "--output", file, "--json");
    assert.equal(status, 0, stderr);
    const manifest = JSON.parse(stdout);
    assert.deepEqual(manifest, JSON.parse(readFileSync(`${file}.manifest`, "utf8")));
    assert.equal(manifest.chain, "openledger_dev");
    assert.ok(manifest.best_number >= 3 && manifest.finalized_number <= manifest.best_number);
    assert.equal(manifest.bytes, statSync(file).size);

    assert.ok(existsSync(join(original, CHAIN, "keystore")) && existsSync(join(original, CHAIN, "network")));
    const { stdout: names } = spawnSync("tar", ["--list", "--zstd", "--file", file], { encoding: "utf8" });
    assert.match(names, /^paritydb\/full\/metadata$/m);
    for (const name of names.trim().split("\n")) assert.match(name, /^paritydb\//);

    refused(snapshot("create", "--base-path", original, "--output", file), /there already/);
  });

  test("is refused when it is damaged, of another chain, or in the way of a database", () => {
    const base = join(folder, "refused");
    const short = copy("short.tar.zst");
    truncateSync(short, statSync(short).size - 1);
    refused(restore(short, base), /not copied whole/);

    const damaged = copy("damaged.tar.zst");
    const bytes = readFileSync(damaged);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(damaged, bytes);
    refused(restore(damaged, base), /SHA-256/);

    const alone = join(folder, "alone.tar.zst");
    copyFileSync(file, alone);
    refused(restore(alone, base), /alone\.tar\.zst\.manifest/);

    const other = copy("other.tar.zst");
    const manifest = readFileSync(`${other}.manifest`, "utf8");
    writeFileSync(`${other}.manifest`, manifest.replace("openledger_dev", "openledger_local"));
    refused(restore(other, base), /openledger_local/);

    // The sum is right and what is said of the content is not.
    const { best_hash } = JSON.parse(manifest);
    writeFileSync(`${other}.manifest`, manifest.replace(best_hash, `0x${"00".repeat(32)}`));
    refused(restore(other, base), /another best_hash/);

    refused(restore(file, original), /not overwritten/);
    refused(restore(file, base, "--chain", "nowhere"), /nowhere/);
    assert.deepEqual(existsSync(base) ? readdirSync(base) : [], []);
  });

  test("leaves nothing behind when the disk is full", (context) => {
    const disk = mountSmallDisk(join(folder, "disk"), 16);
    if (disk.problem !== null) return context.skip(disk.problem);
    disk.fill(1 << 16);
    const onDisk = (name) => join(folder, "disk", name);
    refused(snapshot("create", "--base-path", original, "--output", onDisk("dev.tar.zst")), /cannot be written.*free/);
    refused(restore(file, onDisk("base")), /make room/);
    // One that says it is small is found out while it is unpacked.
    const liar = copy("liar.tar.zst");
    const manifest = readFileSync(`${liar}.manifest`, "utf8");
    writeFileSync(`${liar}.manifest`, manifest.replace(/"database_bytes": \d+/, '"database_bytes": 1'));
    refused(restore(liar, onDisk("base")), /cannot be unpacked.*free/);
    assert.deepEqual(readdirSync(onDisk("base")), []);
    assert.deepEqual(readdirSync(join(folder, "disk")).sort(), ["base", "filler"]);
  });

  test("is what a node goes on from", async () => {
    const manifest = JSON.parse(readFileSync(`${file}.manifest`, "utf8"));
    const base = join(folder, "restored");
    // A key that is there already stays.
    mkdirSync(join(base, CHAIN, "keystore"), { recursive: true });
    writeFileSync(join(base, CHAIN, "keystore", "key"), "kept");
    const { status, stderr } = restore(file, base);
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(base), ["chains"]);
    assert.equal(readFileSync(join(base, CHAIN, "keystore", "key"), "utf8"), "kept");

    node = await startNode({ folder: base });
    for (const [number, hash] of [
      [manifest.best_number, manifest.best_hash],
      [manifest.finalized_number, manifest.finalized_hash],
      [0, manifest.genesis_hash],
    ]) {
      assert.equal(await ask(node.url, "chain_getBlockHash", number), hash);
    }
    await reaches(manifest.best_number + 2);
  });
});
