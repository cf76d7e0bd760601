// Chains to put load on: a development chain with one validator and many accounts that have money.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { OPEN, account, freePort, genericAddress } from "../polkadot-js/client.mjs";
import { LOCAL_PEERS, ask, exportSpecification, spawnNode } from "../polkadot-js/node.mjs";

/** Accounts that send; as many others receive, so that what arrived can be counted in their balances. */
export const SENDERS = 1_024;
/** What they start with: enough for hours of fees. */
const SENDER_MONEY = 1_000n * OPEN;
export const RECEIVER_MONEY = OPEN;
/** The account of the development chain that gives it, so that the supply stays what it is. */
const GIVER = "//Ferdie";

/** 32 bytes that belong to a name: a secret, which keyrings take as it is, or an account that nobody has the key of. */
const bytes = (name) => `0x${createHash("sha256").update(`openledger load ${name}`).digest("hex")}`;

/** The sending account of this number. */
export const sender = (number) => account(bytes(`sender ${number}`));

/** The addresses of all receiving accounts. */
export const receivers = () =>
  Array.from({ length: SENDERS }, (_, number) => genericAddress(bytes(`receiver ${number}`)));

// Amounts in base units are larger than what JavaScript's JSON reads without rounding.
const parseExactly = (text) => JSON.parse(text.replace(/(?<=[:,[]\s*)\d{16,}(?=\s*[,\]}])/g, '"#$&"'));
const writeExactly = (value) => JSON.stringify(value).replace(/"#(\d+)"/g, "$1");

/**
 * Writes the specification of a development chain whose senders and receivers have money.
 *
 * @param {string} folder where it goes
 * @param {object} [options]
 * @param {string} [options.wasm] a file with the runtime, if not the node's own
 * @param {boolean} [options.baseline] whether that is the baseline runtime
 * @returns {string} the file
 */
export function writeSpecification(folder, { wasm, baseline = false } = {}) {
  const file = join(folder, baseline ? "baseline.json" : "openledger.json");
  exportSpecification("dev", file);
  const specification = parseExactly(readFileSync(file, "utf8"));
  const { runtimeGenesis } = specification.genesis;
  const { balances } = runtimeGenesis.patch.balances;
  const giver = balances.find(([address]) => address === genericAddress(account(GIVER).address));
  if (giver === undefined) throw new Error(`the development chain gives ${GIVER} nothing; name another account in GIVER`);
  const given = BigInt(SENDERS) * (SENDER_MONEY + RECEIVER_MONEY);
  giver[1] = `#${BigInt(giver[1].slice(1)) - given}`;
  for (let number = 0; number < SENDERS; number += 1) balances.push([genericAddress(sender(number).address), `#${SENDER_MONEY}`]);
  for (const address of receivers()) balances.push([address, `#${RECEIVER_MONEY}`]);
  if (wasm !== undefined) runtimeGenesis.code = `0x${readFileSync(wasm).toString("hex")}`;
  if (baseline) {
    specification.name = "OpenLedger Baseline";
    specification.id = "openledger_baseline";
    // It has nothing else that could start with something.
    const { babe, session } = runtimeGenesis.patch;
    runtimeGenesis.patch = { balances: { balances }, babe, session };
  }
  writeFileSync(file, writeExactly(specification));
  return file;
}

/** Starts a node with metrics. */
async function start(specification, folder, ...more) {
  const port = await freePort();
  const node = await spawnNode([
    ...["--chain", specification, "--base-path", folder, "--rpc-port", "0", "--port", "0", "--no-telemetry"],
    ...["--prometheus-port", String(port), ...more],
  ]);
  return { ...node, metrics: () => readMetrics(port) };
}

/**
 * Starts the only validator of a chain.
 *
 * @returns as `startNode` of ../polkadot-js/node.mjs, with `metrics`, which reads what it publishes
 */
export function startAuthor(specification, folder, ...more) {
  return start(
    ...[specification, folder, "--alice", "--force-authoring", "--unsafe-force-node-key-generation"],
    ...["--reserved-only", ...more],
  );
}

/** Starts a node that makes no blocks; returns what `startAuthor` does. */
export function startFollower(specification, folder, ...more) {
  return start(specification, folder, ...LOCAL_PEERS, ...more);
}

/**
 * Reads what a node publishes for Prometheus.
 *
 * @returns {Promise<(name: string) => number>} gives the sum of a metric over all its labels
 */
async function readMetrics(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return (name) => {
    const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    if (lines.length === 0) throw new Error(`the node publishes no ${name}`);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  };
}

/** The memory that a process has on the machine, in MB. */
export function residentMegabytes(pid) {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(kilobytes) / 1_024;
}

/** The height of a node's best block. */
export const height = async (url) => Number((await ask(url, "chain_getHeader")).number);

/** Whether an encoded extrinsic is signed: its version byte says so, behind its length. */
export function isSigned(extrinsic) {
  const lengthBytes = [1, 2, 4][Number.parseInt(extrinsic.slice(2, 4), 16) & 3];
  return (Number.parseInt(extrinsic.slice(2 + 2 * lengthBytes, 4 + 2 * lengthBytes), 16) & 0x80) !== 0;
}
