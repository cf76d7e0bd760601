// One validator of four is killed, has a full disk, or a wrong clock: the others go on, and it comes back.

import { mountSmallDisk } from "../polkadot-js/small-disk.mjs";
import { FAR, FOUR, withScene } from "./scene.mjs";
import { check, fixed, pause, quantile, say, table } from "./text.mjs";

const KILLED = "bob";
const WRONG_CLOCK = "charlie";
const FULL_DISK = "dave";

const DISK_MEGABYTES = 512;
/** Free space below which a node stops; the default is more than the small disk has. */
const DISK_THRESHOLD_MEGABYTES = 64;
/** Blocks that three of four have to make final. */
const BLOCKS_WITHOUT_ONE = 6;
/** They may take so long: of the slots one in four is lost. */
const WITHOUT_ONE_SECONDS = 90;
const CATCH_UP_SECONDS = 120;
const STOP_SECONDS = 60;
/** Blocks that a node may be behind another and yet count as level with it. */
const LEVEL_BLOCKS = 2;

const CLOCK_SECONDS = 5;
const CLOCK_SLOTS = 20;
/** Between two clocks: a validator that comes into a slot for the second time would sign two blocks for it. */
const BETWEEN_CLOCKS_MILLISECONDS = (2 * CLOCK_SECONDS + 3) * 1_000;

export function faults(settings) {
  let disk;
  const prepare = (net) => {
    disk = mountSmallDisk(net.folderOf(FULL_DISK), DISK_MEGABYTES);
    check(disk.problem === null, disk.problem);
  };
  const diskArguments = ["--db-storage-threshold", String(DISK_THRESHOLD_MEGABYTES)];
  const options = { [FULL_DISK]: { extraArguments: diskArguments } };
  return withScene(
    { name: "faults", validators: FOUR, conditions: FAR, nodes: options, prepare, settings },
    async (scene) => {
      const play = { ...scene, disk, options };
      return { killed: await killed(play), disk: await fullDisk(play), clock: await wrongClock(play) };
    },
  );
}

const without = (name) => FOUR.filter((other) => other !== name);

/** Waits until the others have finalised some blocks, and returns how long that took. */
async function othersGoOn({ watch, wait }, name) {
  const others = without(name);
  const start = Date.now();
  const goal = Math.max(...others.map((other) => watch.final(other).number)) + BLOCKS_WITHOUT_ONE;
  await wait(`${BLOCKS_WITHOUT_ONE} more final blocks without ${name}`, WITHOUT_ONE_SECONDS, () =>
    others.every((other) => watch.final(other).number >= goal),
  );
  return (Date.now() - start) / 1_000;
}

/** Starts a node again and waits until it is level with the others; returns how long each took. */
async function comeBack({ net, watch, specification, wait, options }, name, more = {}) {
  const start = Date.now();
  const behind = watch.final(without(name)[0]).number;
  const { url } = await net.startNode(name, specification, { ...options[name], ...more });
  await watch.join(name, url);
  const from = watch.final(name).number;
  const answered = (Date.now() - start) / 1_000;
  await wait(`${name} level with the others`, CATCH_UP_SECONDS, () => {
    const final = watch.final(name).number;
    return final > behind && without(name).every((other) => final >= watch.final(other).number - LEVEL_BLOCKS);
  });
  return { from, to: watch.final(name).number, answered, level: (Date.now() - start) / 1_000 };
}

const backText = ({ from, to, answered, level }) =>
  `it answers after ${fixed(answered, 1)} s, goes on from final block ${from}, ` +
  `and is level with the others at ${to} after ${fixed(level, 1)} s`;

async function killed(play) {
  const { net, watch } = play;
  say(`${KILLED} is killed`);
  await watch.leave(KILLED);
  await net.stopNode(KILLED, { kill: true });
  const others = await othersGoOn(play, KILLED);
  say(`the other three finalise ${BLOCKS_WITHOUT_ONE} blocks in ${fixed(others, 1)} s`);
  const back = await comeBack(play, KILLED);
  say(`${KILLED} is started again: ${backText(back)}`);
  return { others, back };
}

const lastLines = (log) => `Its last lines:\n${log.slice(-20).join("\n")}`;

async function fullDisk(play) {
  const { net, watch, disk } = play;
  say(`the disk of ${FULL_DISK} fills up`);
  const { log } = net.node(FULL_DISK);
  await watch.leave(FULL_DISK);
  const end = net.endOf(FULL_DISK);
  const start = Date.now();
  disk.fill();
  const how = await Promise.race([end, pause(STOP_SECONDS * 1_000).then(() => null)]);
  check(how !== null, `the node of ${FULL_DISK} goes on ${STOP_SECONDS} s after its disk is full. ${lastLines(log)}`);
  const stopped = (Date.now() - start) / 1_000;
  const reasons = log.filter((line) => /dropped below threshold|No space left on device/.test(line));
  check(
    reasons.length > 0,
    `the log of ${FULL_DISK} does not say that its disk is full. It ended with ${how}. ${lastLines(log)}`,
  );
  say(`its node stops after ${fixed(stopped, 1)} s (${how}) and says: ${reasons.at(-1)}`);
  const others = await othersGoOn(play, FULL_DISK);
  say(`the other three finalise ${BLOCKS_WITHOUT_ONE} blocks in ${fixed(others, 1)} s`);
  disk.free();
  const back = await comeBack(play, FULL_DISK);
  say(`space is freed and ${FULL_DISK} started again: ${backText(back)}`);
  return { how, stopped, reason: reasons.at(-1), others, back };
}

async function wrongClock(play) {
  const { net, watch, wait } = play;
  const others = without(WRONG_CLOCK);
  const phases = [];
  for (const clockOff of [CLOCK_SECONDS, -CLOCK_SECONDS]) {
    await watch.leave(WRONG_CLOCK);
    await net.stopNode(WRONG_CLOCK);
    await pause(BETWEEN_CLOCKS_MILLISECONDS);
    const way = clockOff > 0 ? "ahead" : "behind";
    say(`the clock of ${WRONG_CLOCK} is ${CLOCK_SECONDS} s ${way}, for ${CLOCK_SLOTS} slots`);
    const before = net.node(others[0]).log.length;
    const { url } = await net.startNode(WRONG_CLOCK, play.specification, { clockOff });
    await watch.join(WRONG_CLOCK, url);
    const first = watch.slotNow() + 1;
    const last = first + CLOCK_SLOTS - 1;
    await wait(`finality past ${CLOCK_SLOTS} slots with a wrong clock`, CLOCK_SLOTS * 3 + WITHOUT_ONE_SECONDS, () =>
      others.every((name) => watch.final(name).slot > last),
    );
    const complaints = {
      itself: complaintsIn(net.node(WRONG_CLOCK).log),
      [others[0]]: complaintsIn(net.node(others[0]).log.slice(before)),
    };
    phases.push({ clockOff, ...figures(watch, first, last, others), complaints });
  }
  await watch.leave(WRONG_CLOCK);
  await net.stopNode(WRONG_CLOCK);
  await pause(BETWEEN_CLOCKS_MILLISECONDS);
  const back = await comeBack(play, WRONG_CLOCK);
  const head = [
    "clock off",
    "slots",
    "won",
    "by it",
    "by others",
    "its blocks seen by others",
    "it alone saw",
    "others' lag: median",
    "most",
  ];
  const rows = phases.map((found) => [
    `${found.clockOff > 0 ? "+" : ""}${found.clockOff} s`,
    ...[found.slots, found.won, found.wonByIt, found.won - found.wonByIt, found.seenOfIt, found.alone],
    `${fixed(found.lag.median, 1)} s`,
    `${fixed(found.lag.most, 1)} s`,
  ]);
  table([head, ...rows]);
  for (const { clockOff, complaints } of phases) {
    for (const [name, kinds] of Object.entries(complaints)) {
      for (const { text, count } of kinds)
        say(`${clockOff} s, log of ${name === "itself" ? WRONG_CLOCK : name}: ${count} times ${text}`);
    }
  }
  say(`its clock is right again: ${backText(back)}`);
  return { phases, back };
}

function figures(watch, first, last, others) {
  const within = ({ slot }) => slot >= first && slot <= last;
  const won = watch.finalChain().filter(within);
  const its = [...watch.blocks.values()].filter((block) => within(block) && block.author === WRONG_CLOCK);
  const bySomebody = its.filter(({ seen }) => others.some((name) => seen.has(name)));
  const lags = won.flatMap((block) =>
    others.map((name) => (block.final.get(name) - watch.startOf(block.slot)) / 1_000),
  );
  return {
    slots: last - first + 1,
    won: won.length,
    wonByIt: won.filter(({ author }) => author === WRONG_CLOCK).length,
    seenOfIt: bySomebody.length,
    alone: its.length - bySomebody.length,
    lag: { median: quantile(lags, 0.5), most: quantile(lags, 1) },
  };
}

/** What a log says about blocks that were refused: each kind, without hashes and identities, and how often. */
function complaintsIn(log) {
  const found = new Map();
  for (const line of log) {
    const text = /💔.*/u
      .exec(line)?.[0]
      .trim()
      .replace(/0x[0-9a-f]+|12D3\w+/g, "…");
    if (text !== undefined) found.set(text, (found.get(text) ?? 0) + 1);
  }
  return [...found].map(([text, count]) => ({ text, count }));
}
