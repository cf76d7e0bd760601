// A chain of one's own: keys are made, the specification is written from their public halves, and the validator's
// node starts with the secret ones. And what is wrong with a chain is said before it starts.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { u8aConcat, u8aToHex } from "@polkadot/util";
import { cryptoWaitReady } from "@polkadot/util-crypto";

import { OPEN, account, connect, finalised, sendAndInclude } from "./client.mjs";
import { nodeBinary, spawnNode } from "./node.mjs";
import { scratchFolder } from "./worker.mjs";

/** Validator's keys by the duty's name on disk, with the kind of key that it takes. */
const SESSION_KEYS = [
  ["babe", "sr25519"],
  ["gran", "ed25519"],
  ["audi", "sr25519"],
];

const run = (...words) => spawnSync(nodeBinary(), words, { encoding: "utf8", maxBuffer: 1 << 26 });

/** Runs the node for one command and returns what it prints. */
function printed(...words) {
  const { status, stdout, stderr } = run(...words);
  assert.equal(status, 0, stderr);
  return stdout;
}

describe("a chain of one's own", { timeout: 300_000 }, () => {
  const folder = scratchFolder();
  const chainFile = join(folder, "chain.json");
  const specification = join(folder, "specification.json");
  const basePath = join(folder, "validator");
  let secrets;
  let chain;

  /** Writes the description with a change to it, and returns what is said of it. */
  function refusal(change) {
    const changed = structuredClone(chain);
    change(changed);
    const file = join(folder, "faulty.json");
    writeFileSync(file, JSON.stringify(changed));
    const { status, stderr } = run("new-chain-spec", file);
    assert.notEqual(status, 0);
    assert.ok(stderr.includes(file), `the file is named: ${stderr}`);
    return stderr;
  }

  before(async () => {
    await cryptoWaitReady();
    const generated = SESSION_KEYS.map(([, scheme]) =>
      JSON.parse(printed("key", "generate", "--scheme", scheme, "--output-type", "json")),
    );
    secrets = generated.map(({ secretPhrase }) => secretPhrase);
    chain = {
      name: "A chain of one's own",
      id: "own",
      validators: [
        {
          account: account("//Validator").address,
          sessionKeys: u8aToHex(u8aConcat(...generated.map(({ publicKey }) => publicKey))),
          stake: 50_000,
        },
      ],
      allocations: [
        { account: account("//Validator").address, amount: 50_010 },
        {
          account: account("//Investor").address,
          amount: 1_000,
          vesting: { free: 10, beginBlock: 1_000_000, blocks: 1_000_000 },
        },
      ],
    };
    writeFileSync(chainFile, JSON.stringify(chain));
  });

  describe("that starts", () => {
    let node;
    let api;

    before(async () => {
      printed("new-chain-spec", chainFile, "--raw", "--output", specification);
      for (const [at, [duty, scheme]] of SESSION_KEYS.entries()) {
        const where = ["--chain", specification, "--base-path", basePath];
        printed("key", "insert", ...where, "--scheme", scheme, "--key-type", duty, "--suri", secrets[at]);
      }
      printed("key", "generate-node-key", "--chain", specification, "--base-path", basePath);
      const own = ["--chain", specification, "--base-path", basePath, "--validator", "--reserved-only"];
      node = await spawnNode([...own, "--port", "0", "--rpc-port", "0", "--no-prometheus", "--no-telemetry"]);
      api = await connect(node.url);
    });
    after(async () => {
      await api?.disconnect();
      await node?.stop();
    });

    test("makes and finalises blocks with its own keys", async () => {
      await finalised(api, 2);
      const validators = await api.query.session.validators();
      assert.deepEqual(validators.map(String), [account("//Validator").address]);
    });

    test("has its allocations, and locks what vests", async () => {
      const investor = account("//Investor");
      const { data } = await api.query.system.account(investor.address);
      assert.equal(data.free.toBigInt(), 1_000n * OPEN);
      await assert.rejects(
        sendAndInclude(api, api.tx.balances.transferKeepAlive(account("//Validator").address, 11n * OPEN), investor),
        /token\.Frozen|Frozen/,
      );
      await sendAndInclude(api, api.tx.balances.transferKeepAlive(account("//Validator").address, 5n * OPEN), investor);
    });

    test("names itself and shows amounts as all chains of OpenLedger do", () => {
      const { id, chainType, properties } = JSON.parse(readFileSync(specification, "utf8"));
      assert.equal(id, "own");
      assert.equal(chainType, "Live");
      assert.equal(properties.ss58Format, 1612);
    });
  });

  test("is refused with a reason when it cannot start", () => {
    const [validator] = chain.validators;
    for (const [change, reason] of [
      [(it) => (it.validators = []), /no validator/],
      [(it) => (it.validators[0].stake = 100), /bonds too little: 10000 OPEN is the least/],
      [(it) => (it.allocations[0].amount = 50_000), /bonds more than it has/],
      [(it) => it.allocations.push(it.allocations[0]), /two allocations/],
      [(it) => (it.allocations[1].amount = 999_999_999), /exceed the supply/],
      [(it) => (it.allocations[1].vesting.blocks = 0), /locks nothing/],
      [(it) => (it.validators[0].account = "nonsense"), /nonsense is no address/],
      [
        (it) => (it.validators[0].account = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
        new RegExp(`another chain's prefix, 42; if it is meant, write it as ${account("//Alice").address}`),
      ],
      [(it) => (it.validators[0].sessionKeys = validator.sessionKeys.slice(0, 66)), /are 32 bytes instead of the 96/],
      [(it) => (it.validators[0].sessionKeys = "0xyz"), /no hexadecimal/],
      [(it) => (it.alocations = []), /unknown field `alocations`/],
      [(it) => (it.bootNodes = ["somewhere"]), /bootNodes|[Mm]ultiaddr|invalid/],
    ]) {
      assert.match(refusal(change), reason);
    }
    assert.match(run("new-chain-spec", join(folder, "missing.json")).stderr, /missing\.json cannot be read/);
  });
});
