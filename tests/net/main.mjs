// Plays scenarios on local nets. scripts/net.sh builds what this needs, and starts it in namespaces of its own.

import { mkdirSync, writeFileSync } from "node:fs";
import { join as path } from "node:path";
import { parseArgs } from "node:util";

import { faults } from "./faults.mjs";
import { join } from "./join.mjs";
import { partition } from "./partition.mjs";
import { slots } from "./slots.mjs";

const MINUTE = 60;
/** A slot is assumed to be no longer, in seconds. */
const LONGEST_SLOT = 3;
const slotsBound =
  (nets) =>
  ({ slots: count }) =>
    nets * (count * LONGEST_SLOT + 15 * MINUTE);

/** What each scenario is, and the seconds that it takes at most. */
const SCENARIOS = {
  slots: {
    title: "Slots, forks and finality's lag",
    play: (settings) => slots(["near", "far"], settings),
    bound: slotsBound(2),
  },
  "slots-near": { title: "Slots without delay", play: (settings) => slots(["near"], settings), bound: slotsBound(1) },
  "slots-far": {
    title: "Slots with delay and loss",
    play: (settings) => slots(["far"], settings),
    bound: slotsBound(1),
  },
  partition: { title: "A partition, two against two", play: partition, bound: () => 30 * MINUTE },
  faults: { title: "A killed node, a full disk, a wrong clock", play: faults, bound: () => 25 * MINUTE },
  join: { title: "Late nodes: warp sync, and a copied database", play: join, bound: () => 30 * MINUTE },
};
const ALL = ["slots", "partition", "faults", "join"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    slots: { type: "string" },
    seed: { type: "string" },
    runtime: { type: "string" },
    scratch: { type: "string" },
    output: { type: "string" },
  },
});
const settings = { ...values, slots: Number(values.slots), seed: Number(values.seed) };

// The first process of a process namespace gets no signal that it does not ask for.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));

mkdirSync(settings.output, { recursive: true });
const names = positionals.flatMap((name) => (name === "all" ? ALL : [name]));
let failed = 0;
for (const name of names) {
  const { title, play, bound } = SCENARIOS[name];
  console.log(`\n\x1b[1m${name}: ${title}\x1b[0m`);
  const started = Date.now();
  // Whatever hangs, and wherever: the end of this process ends everything that it has started.
  const watchdog = setTimeout(
    () => {
      console.error(`error: ${name} took more than ${bound(settings)} s`);
      process.exit(1);
    },
    bound(settings) * 1_000,
  );
  try {
    const found = await play(settings);
    const file = path(settings.output, `${name}.json`);
    writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
    console.log(`   passed in ${Math.round((Date.now() - started) / 1_000)} s; figures are in ${file}`);
  } catch (error) {
    failed += 1;
    console.error(
      `error: ${name} failed: ${error.message}\n   the nodes' logs are in ${path(settings.output, "logs")}`,
    );
    if (!(error instanceof Error) || process.env.OPENLEDGER_NET_STACK) console.error(error);
  }
  clearTimeout(watchdog);
}
if (failed > 0) console.error(`error: ${failed} of ${names.length} scenarios failed`);
process.exit(failed > 0 ? 1 : 0);
