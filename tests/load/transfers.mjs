// Plain transfers under full load: how many a second a chain of one validator takes for minutes, how full its blocks
// are and how long a second node needs to import them; on the OpenLedger runtime and on the baseline runtime
// (tests/baseline-runtime), with the same node. scripts/bench.sh builds both and starts it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { connect } from "../polkadot-js/client.mjs";
import { ask, peerAddress } from "../polkadot-js/node.mjs";
import { scratchFolder } from "../polkadot-js/worker.mjs";
import { RECEIVER_MONEY, height, receivers, startAuthor, startFollower, writeSpecification } from "./chain.mjs";
import { Feeder } from "./feeder.mjs";
import { AMOUNT, Signers } from "./signing.mjs";
import { median, quantile } from "./statistics.mjs";

const USAGE = `Usage: node tests/load/transfers.mjs --baseline FILE [--runtime FILE] [--quick] [--rounds N]

  --baseline FILE  the Wasm of the baseline runtime, built with scripts/build-runtime.sh
                   --package openledger-baseline-runtime --output FILE
  --runtime FILE   the Wasm of the OpenLedger runtime, if not the node's own. Both have to have the same
                   periods: build both with --fast, or neither
  --quick          15 seconds of load instead of 120
  --rounds N       rounds of both chains in turns (default: 1); medians are printed`;

const { values: options } = parseArgs({
  options: {
    baseline: { type: "string" },
    runtime: { type: "string" },
    quick: { type: "boolean", default: false },
    rounds: { type: "string", default: "1" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
if (options.baseline === undefined) throw new Error(`no --baseline FILE\n\n${USAGE}`);
const rounds = Number(options.rounds);
if (!(rounds >= 1)) throw new Error(`--rounds ${options.rounds} is no number of rounds`);

/** How long the pool is kept full. */
const LOAD_SECONDS = options.quick ? 15 : 120;
/** Blocks that the pool always has enough for. */
const POOL_BLOCKS = 4;
/** OpenLedger must take at least this part of the transfers that the baseline takes. */
const LEAST_RATIO = 0.95;
/**
 * A block is full when no more than this many transfers would still fit. The block that ends a session is none of
 * these: sessions book a whole block for their end, so that it has room for one transfer at most.
 */
const FULL_SLACK = 2;
/** How often the importing node's metrics are read: more often than it can import a full block. */
const METRICS_MILLISECONDS = 20;
/** How long the second node may take for one block. */
const IMPORT_PATIENCE_SECONDS = 10;

const IMPORT_METRIC = "substrate_block_verification_and_import_time";

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const say = (text) => console.log(`   ${text}`);
const folder = scratchFolder();

/** What both chains must have in common for their figures to be comparable. */
async function limits(api) {
  const { consts } = api;
  const weightToFee = await api.call.transactionPaymentApi.queryWeightToFee({ refTime: 1_000_000_000, proofSize: 0 });
  const lengthToFee = await api.call.transactionPaymentApi.queryLengthToFee(1_000);
  return {
    blockWeights: consts.system.blockWeights.toHex(),
    blockLength: consts.system.blockLength.toHex(),
    dbWeight: consts.system.dbWeight.toHex(),
    existentialDeposit: consts.balances.existentialDeposit.toString(),
    slot: consts.babe.expectedBlockTime.toString(),
    epoch: consts.babe.epochDuration.toString(),
    weightToFee: weightToFee.toString(),
    lengthToFee: lengthToFee.toString(),
  };
}

/** How many transfers fit into a block by weight. */
async function blockRoom(url, api, signed) {
  const { weight } = await ask(url, "payment_queryInfo", signed);
  const normal = api.consts.system.blockWeights.perClass.normal;
  const each = BigInt(weight.ref_time) + normal.baseExtrinsic.refTime.toBigInt();
  return { each, room: Number(normal.maxTotal.unwrap().refTime.toBigInt() / each) };
}

/** What the author said about the blocks that it made: milliseconds, and why it added no more. */
function proposals(log) {
  const found = new Map();
  for (const line of log) {
    const match = /Prepared block for proposing at (\d+) \((\d+) ms\).*end: (\w+)/.exec(line);
    if (match !== null) found.set(Number(match[1]), { milliseconds: Number(match[2]), end: match[3] });
  }
  return found;
}

/** Lets a node without validator's keys import a chain from another, and returns the seconds of each block that it can tell. */
async function importSeconds(specification, source, target, last) {
  const from = await startFollower(specification, source);
  const importer = await startFollower(specification, target, "--bootnodes", await peerAddress(from.url));
  const seconds = new Map();
  let count = 0;
  let sum = 0;
  let patience = Date.now() + 1_000 * IMPORT_PATIENCE_SECONDS * 6;
  while (count < last) {
    const read = await importer.metrics();
    const [nextCount, nextSum] = [read(`${IMPORT_METRIC}_count`), read(`${IMPORT_METRIC}_sum`)];
    // Blocks come one by one from the first on, so the count is the height. Of two at once there is only the sum.
    if (nextCount === count + 1) seconds.set(nextCount, nextSum - sum);
    if (nextCount > count) patience = Date.now() + 1_000 * IMPORT_PATIENCE_SECONDS;
    if (Date.now() > patience) {
      throw new Error(`the second node stays at block ${count} of ${last}; its last lines:\n${importer.log.slice(-40).join("\n")}`);
    }
    [count, sum] = [nextCount, nextSum];
    await pause(METRICS_MILLISECONDS);
  }
  while ((await height(importer.url)) < last) await pause(METRICS_MILLISECONDS);
  const hashes = await Promise.all([from, importer].map(({ url }) => ask(url, "chain_getBlockHash", last)));
  if (hashes[0] !== hashes[1]) throw new Error(`the second node has another block ${last} than the first`);
  await Promise.all([from.stop(), importer.stop()]);
  return seconds;
}

/** A chain that is measured once or more. */
class Chain {
  runs = [];

  constructor(name, runtime) {
    this.name = name;
    this.specification = writeSpecification(folder, runtime);
    this.signed = join(folder, `${name}.signed`);
  }

  /** Signs all that a run needs, once: every run starts from the same genesis. */
  async prepare(author, api) {
    const signers = await Signers.start(author.url);
    const [first] = await signers.sign(1);
    ({ each: this.weight, room: this.room } = await blockRoom(author.url, api, first));
    this.pool = POOL_BLOCKS * this.room;
    const slots = (1_000 * LOAD_SECONDS) / api.consts.babe.expectedBlockTime.toNumber();
    // Besides the pool: blocks while it is filled, and one more at either end.
    const count = this.pool + this.room * (Math.ceil(slots) + POOL_BLOCKS + 2);
    const started = Date.now();
    const signed = [first, ...(await signers.sign(count))];
    await signers.end();
    writeFileSync(this.signed, signed.join("\n"));
    const seconds = (Date.now() - started) / 1_000;
    say(`${this.name}: ${signed.length} transfers signed in ${seconds.toFixed(0)} s; a block has room for ${this.room}`);
  }

  async run(round) {
    const base = join(folder, `${this.name}-${round}`);
    const author = await startAuthor(this.specification, base);
    const api = await connect(author.url);
    this.limits = await limits(api);
    if (this.weight === undefined) await this.prepare(author, api);
    const signed = readFileSync(this.signed, "utf8").split("\n");

    let taken = 0;
    const feeder = new Feeder(
      author.url,
      async (count) => {
        if (taken + count > signed.length) throw new Error(`the chain took more than the ${signed.length} transfers that were signed`);
        taken += count;
        return signed.slice(taken - count, taken);
      },
      this.pool,
    );
    await feeder.start();
    say(`${this.name}: the pool holds ${feeder.pending}; ${LOAD_SECONDS} s of load`);
    // From the next block on, whose time is known, to the last one of the time.
    while (feeder.blocks.length === 0 && !feeder.failed) await pause(200);
    const begin = feeder.blocks.length;
    const full = Date.now() + 1_000 * LOAD_SECONDS;
    while (Date.now() < full && !feeder.failed) await pause(200);
    const blocks = feeder.blocks.slice(begin);
    const sizes = feeder.sizes.slice(begin);
    await feeder.stop();

    const states = await Promise.all([feeder.blocks[begin - 1], ...blocks].map(({ hash }) => api.at(hash)));
    const times = await Promise.all(states.map((state) => state.query.timestamp.now()));
    const seconds = (times[times.length - 1].toNumber() - times[0].toNumber()) / 1_000;
    const weights = await Promise.all(states.slice(1).map((state) => state.query.system.blockWeight()));
    const limit = api.consts.system.blockWeights.perClass.normal.maxTotal.unwrap().refTime.toNumber();
    const transfers = blocks.reduce((sum, block) => sum + block.transfers, 0);

    // What was in blocks has arrived: no transfer failed.
    const last = feeder.blocks[feeder.blocks.length - 1];
    const accounts = await (await api.at(last.hash)).query.system.account.multi(receivers());
    const arrived = accounts.reduce((sum, { data }) => sum + data.free.toBigInt() - RECEIVER_MONEY, 0n);
    const sent = feeder.blocks.reduce((sum, block) => sum + block.transfers, 0);
    if (arrived !== BigInt(sent) * AMOUNT) {
      throw new Error(`${sent} transfers are in blocks, but ${arrived} base units arrived instead of ${BigInt(sent) * AMOUNT}`);
    }
    await api.disconnect();
    await author.stop();
    const made = proposals(author.log);
    const ends = blocks.map(({ number }) => made.get(number)?.end ?? "Unknown");

    const imported = await importSeconds(this.specification, base, `${base}-import`, last.number);
    const fullBlocks = blocks.filter((block) => block.transfers >= this.room - FULL_SLACK);
    const importTimes = fullBlocks.flatMap(({ number }) => (imported.has(number) ? [1_000 * imported.get(number)] : []));
    if (importTimes.length === 0) {
      const found = blocks.map((block) => `${block.transfers} (${made.get(block.number)?.end})`).join(", ");
      throw new Error(`of no full block it is known how long its import took; the blocks had ${found} of ${this.room} transfers`);
    }
    const result = {
      rate: transfers / seconds,
      blocks: blocks.length,
      seconds,
      fullBlocks: fullBlocks.length,
      sessionBlocks: blocks.filter((block) => block.transfers <= 1).length,
      fullness: median(weights.map(({ normal }) => normal.refTime.toNumber() / limit)),
      making: median(blocks.map(({ number }) => made.get(number)?.milliseconds ?? 0)),
      importing: median(importTimes),
      importingSlowest: quantile(importTimes, 1),
      importSamples: importTimes.length,
      leastPool: Math.min(...sizes),
      ends,
    };
    this.runs.push(result);
    say(
      `${this.name}: ${result.rate.toFixed(1)} transfers/s in ${result.blocks} blocks of ${seconds.toFixed(0)} s, ` +
        `${result.fullBlocks} of them full, ${result.sessionBlocks} the end of a session; a second node imported ${result.importSamples} of these in ${result.importing.toFixed(0)} ms each`,
    );
  }

  /** The median of a figure over all runs. */
  figure(name) {
    return median(this.runs.map((run) => run[name]));
  }
}

const ours = new Chain("openledger", { wasm: options.runtime });
const baseline = new Chain("baseline", { wasm: options.baseline, baseline: true });
for (let round = 1; round <= rounds; round += 1) {
  for (const chain of [ours, baseline]) await chain.run(round);
  const different = Object.keys(ours.limits).filter((name) => ours.limits[name] !== baseline.limits[name]);
  if (different.length > 0) {
    throw new Error(
      `the chains differ in ${different.join(", ")}, so their figures say nothing: tests/baseline-runtime/src/configs.rs must ` +
        "have the numbers of runtime/src/configs/system.rs, and both Wasm files the same features (--fast)",
    );
  }
}

const line = (name, unit, left, right, digits) => {
  const cells = [left, right].map((value) => value.toFixed(digits).padStart(12));
  console.log(`${name.padEnd(34)} ${unit.padEnd(6)} ${cells.join(" ")} ${(left / right).toFixed(3).padStart(7)}`);
};
const compare = (name, unit, figure, digits, factor = 1) =>
  line(name, unit, factor * ours.figure(figure), factor * baseline.figure(figure), digits);
console.log(`\n${"".padEnd(41)} ${"OpenLedger".padStart(12)} ${"baseline".padStart(12)} ${"ratio".padStart(7)}`);
compare("transfers in blocks", "/s", "rate", 1);
line("weight of a transfer", "µs", Number(ours.weight) / 1e6, Number(baseline.weight) / 1e6, 0);
compare("blocks' weight, part of the limit", "%", "fullness", 1, 100);
compare("making a block, median", "ms", "making", 0);
compare("importing a full block, median", "ms", "importing", 0);
compare("importing a full block, slowest", "ms", "importingSlowest", 0);
compare("least pool after a block", "", "leastPool", 0);
for (const chain of [ours, baseline]) {
  const ends = chain.runs.flatMap((run) => run.ends);
  const counts = [...new Set(ends)].map((end) => `${end} ${ends.filter((other) => other === end).length}`);
  console.log(`why ${chain.name}'s blocks took no more transfers: ${counts.join(", ")}`);
}

const ratio = ours.figure("rate") / baseline.figure("rate");
const least = Math.min(...[ours, baseline].flatMap((chain) => chain.runs.map((run) => run.leastPool - chain.room)));
if (least < 0) {
  console.error("error: the pool held less than a block's worth for a moment, so the rate is the feeder's, not the chain's; what else runs here?");
  process.exit(1);
}
if (ratio < LEAST_RATIO) {
  console.error(`error: OpenLedger takes ${ratio.toFixed(3)} of the baseline's transfers; ${LEAST_RATIO} is the least`);
  process.exit(1);
}
process.exit(0);
