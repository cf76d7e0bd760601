// How many slots the chain wins, how often it forks, and how far finality lags behind.

import { loadavg } from "node:os";

import { FAR, FOUR, NEAR, THREE, lagOf, withScene } from "./scene.mjs";
import { fixed, quantile, say, table } from "./text.mjs";

/** How long finality may take to reach the last slot once that is over. */
const FINAL_SECONDS = 180;
const PROGRESS_SECONDS = 60;

const SETTINGS = {
  near: { validators: THREE, conditions: NEAR },
  far: { validators: FOUR, conditions: FAR },
};

async function measure(where, settings) {
  const load = () => fixed(loadavg()[0], 1);
  return withScene({ name: `slots-${where}`, ...SETTINGS[where], settings }, async ({ watch, wait }) => {
    const loadBefore = load();
    const first = watch.slotNow() + 2;
    const last = first + settings.slots - 1;
    const nodes = SETTINGS[where].validators;
    const end = watch.startOf(last + 1);
    let told = Date.now();
    say(`watching ${settings.slots} slots: ${fixed((end - Date.now()) / 60_000, 1)} minutes`);
    await wait("the last slot", (end - Date.now()) / 1_000 + 10, () => {
      if (Date.now() - told > PROGRESS_SECONDS * 1_000) {
        told = Date.now();
        say(`slot ${watch.slotNow() - first + 1} of ${settings.slots}, final block ${watch.final(nodes[0]).number}`);
      }
      return Date.now() > end;
    });
    // A final block of a later slot: whatever the last slot brought is decided.
    await wait("finality past the last slot", FINAL_SECONDS, () =>
      nodes.every((node) => watch.final(node).slot > last),
    );
    return { where, load: { before: loadBefore, after: load() }, ...figures(watch, first, last, nodes) };
  });
}

function figures(watch, first, last, nodes) {
  const within = ({ slot }) => slot >= first && slot <= last;
  const won = watch.finalChain().filter(within);
  const seen = [...watch.blocks.values()].filter(within);
  const slots = last - first + 1;
  const usedSlots = new Set(seen.map(({ slot }) => slot));
  const perHeight = new Map();
  for (const { number } of seen) perHeight.set(number, (perHeight.get(number) ?? 0) + 1);
  const reorganisations = watch.reorganisations.filter(
    ({ time }) => time >= watch.startOf(first) && time < watch.startOf(last + 1),
  );
  const travel = won.flatMap(({ slot, seen: times }) =>
    [...times.values()].map((time) => (time - watch.startOf(slot)) / 1_000),
  );
  return {
    slots,
    won: won.length,
    empty: slots - usedSlots.size,
    orphaned: usedSlots.size - won.length,
    primaries: won.filter(({ primary }) => primary).length,
    blocksSeen: seen.length,
    forkedHeights: [...perHeight.values()].filter((count) => count > 1).length,
    reorganisations: Object.fromEntries(
      nodes.map((name) => [name, reorganisations.filter(({ node }) => node === name).length]),
    ),
    deepestReorganisation: Math.max(0, ...reorganisations.map(({ depth }) => depth)),
    authors: Object.fromEntries(nodes.map((name) => [name, won.filter(({ author }) => author === name).length])),
    arrival: { median: quantile(travel, 0.5), most: quantile(travel, 1) },
    finality: lagOf(watch, won),
  };
}

function print(results) {
  const percent = (count, { slots }) => `${count} (${fixed((100 * count) / slots, 1)} %)`;
  const rows = [
    [
      "setting",
      ({ conditions, authors }) =>
        `${Object.keys(authors).length} validators, ${conditions.mean} ms, ${conditions.loss} %`,
    ],
    ["slots", ({ slots, slotMilliseconds }) => `${slots} of ${slotMilliseconds / 1_000} s`],
    ["won: with a block in the final chain", (found) => percent(found.won, found)],
    ["lost: nobody's block was seen", (found) => percent(found.empty, found)],
    ["lost: a block was seen, none is final", (found) => percent(found.orphaned, found)],
    ["of those won, by primary authors", ({ primaries }) => primaries],
    ["blocks seen by any node", ({ blocksSeen }) => blocksSeen],
    ["heights with more than one block", ({ forkedHeights }) => forkedHeights],
    ["reorganisations, by node", ({ reorganisations }) => Object.values(reorganisations).join(", ")],
    ["deepest reorganisation, in blocks", ({ deepestReorganisation }) => deepestReorganisation],
    ["final blocks, by author", ({ authors }) => Object.values(authors).join(", ")],
    ["block seen at a node after its slot's start, median", ({ arrival }) => `${fixed(arrival.median, 2)} s`],
    ["block seen at a node after its slot's start, most", ({ arrival }) => `${fixed(arrival.most, 2)} s`],
    ["final at a node after its slot's start, median", ({ finality }) => `${fixed(finality.median, 2)} s`],
    ["final at a node after its slot's start, 99th percentile", ({ finality }) => `${fixed(finality.p99, 2)} s`],
    ["final at a node after its slot's start, most", ({ finality }) => `${fixed(finality.most, 2)} s`],
    ["machine's load before, after", ({ load }) => `${load.before}, ${load.after}`],
  ];
  table([["", ...results.map(({ where }) => where)], ...rows.map(([name, value]) => [name, ...results.map(value)])]);
}

/**
 * Measures one after the other.
 *
 * @param {("near" | "far")[]} wheres three validators without delay, four with delay and loss
 */
export async function slots(wheres, settings) {
  const results = [];
  for (const where of wheres) results.push(await measure(where, settings));
  print(results);
  return results;
}
