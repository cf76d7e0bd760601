// How a node's memory grows under load: a chain of one validator whose pool is kept full of transfers, and the memory
// that the node has on the machine, every five seconds.

import { join } from "node:path";
import { parseArgs } from "node:util";

import { scratchFolder } from "../polkadot-js/worker.mjs";
import { residentMegabytes, startAuthor, writeSpecification } from "./chain.mjs";
import { Feeder } from "./feeder.mjs";
import { Signers } from "./signing.mjs";
import { chart, slope } from "./statistics.mjs";

const USAGE = `Usage: node tests/load/memory.mjs [--minutes N] [--most MB] [--cache MB]

  --minutes N  how long the load lasts (default: 30)
  --most MB    fail if memory grows by more in an hour, measured after the warm-up, the first third of the time
  --cache MB   how much of the state the node may keep in memory (its default is 1,024, which takes long to fill)`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    most: { type: "string" },
    cache: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const minutes = Number(options.minutes);
if (!(minutes >= 1)) throw new Error(`--minutes ${options.minutes} is no number of minutes, 1 or more\n\n${USAGE}`);
const most = options.most === undefined ? Number.POSITIVE_INFINITY : Number(options.most);
if (Number.isNaN(most)) throw new Error(`--most ${options.most} is no number of megabytes\n\n${USAGE}`);

const cache = options.cache === undefined ? [] : ["--trie-cache-size", String(Number(options.cache) * 2 ** 20)];
if (cache.includes("NaN")) throw new Error(`--cache ${options.cache} is no number of megabytes\n\n${USAGE}`);

/** Transfers in the pool: several blocks' worth. */
const POOL = 3_000;
const SAMPLE_SECONDS = 5;
/** Caches fill in this part of the time. */
const WARM_UP = 1 / 3;

const folder = scratchFolder();
const node = await startAuthor(writeSpecification(folder), join(folder, "node"), ...cache);
// One thread signs many times what the chain takes, and leaves the other cores to the node.
const signers = await Signers.start(node.url, 1);
const feeder = new Feeder(node.url, (count) => signers.sign(count), POOL);
await feeder.start();
console.log(`==> the pool holds ${feeder.pending} transfers; ${minutes} minutes of load`);

const started = Date.now();
const points = [];
for (let sample = 0; sample * SAMPLE_SECONDS <= minutes * 60 && !feeder.failed; sample += 1) {
  const due = started + sample * SAMPLE_SECONDS * 1_000;
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now())));
  const megabytes = residentMegabytes(node.pid);
  points.push([(Date.now() - started) / 3_600_000, megabytes]);
  if (sample % 12 === 0) console.log(`${String(sample / 12).padStart(4)} min  ${megabytes.toFixed(0)} MB`);
}
const blocks = feeder.blocks.length;
const transfers = feeder.blocks.reduce((sum, block) => sum + block.transfers, 0);
await feeder.stop();
await signers.end();
await node.stop();

const warm = points.filter(([hours]) => hours >= (WARM_UP * minutes) / 60);
const growth = slope(warm);
console.log(`\n${chart(points, "MB")}`);
console.log(`${" ".repeat(13)}0${`${minutes} min`.padStart(71)}`);
console.log(`${transfers} transfers in ${blocks} blocks`);
console.log(`memory at the end ${points[points.length - 1][1].toFixed(0)} MB, at most ${Math.max(...points.map(([, y]) => y)).toFixed(0)} MB`);
console.log(`growth after the warm-up: ${growth.toFixed(1)} MB an hour`);
if (growth > most) {
  console.error(`error: that is more than ${most} MB an hour`);
  process.exit(1);
}
process.exit(0);
