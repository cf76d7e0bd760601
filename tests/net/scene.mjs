// What every scenario starts with and ends with: a measured net on which a chain finalises.

import { join } from "node:path";

import { fourValidators, threeValidators } from "../polkadot-js/chain-spec.mjs";
import { Net, pingText } from "./net.mjs";
import { fixed, quantile, say, until } from "./text.mjs";
import { Watch } from "./watch.mjs";

export const THREE = ["alice", "bob", "charlie"];
export const FOUR = [...THREE, "dave"];

/** Nothing that the relay adds. */
export const NEAR = { mean: 0, spread: 0, loss: 0 };
/** Between continents, on a bad day. Milliseconds there and back; per cent of the packets in each direction. */
export const FAR = { mean: 150, spread: 30, loss: 1 };

/** How long a new chain may take to its first final blocks: nodes compile the runtime and find each other first. */
const START_SECONDS = 180;
/** Final blocks with which a chain counts as started. */
const STARTED = 4;

/**
 * What a scenario works with.
 *
 * @typedef {object} Scene
 * @property {Net} net
 * @property {Watch} watch
 * @property {string} specification the chain's specification
 * @property {(what: string, seconds: number, condition: () => unknown) => Promise<unknown>} wait as `until`, and fails
 *   at once when a node has ended by itself or two final blocks of one height were seen
 */

/**
 * Sets up a net with validators, plays a scenario on it, and takes it down, however that ends.
 *
 * @param {object} options
 * @param {string} options.name the scenario, for folders and messages
 * @param {string[]} options.validators the ends with validators: three or four
 * @param {string[]} [options.others] further ends, without nodes at first
 * @param {{mean: number, spread: number, loss: number}} options.conditions of the net
 * @param {Record<string, object>} [options.nodes] how to start single nodes, as for `Net.startNode`
 * @param {(net: Net) => void} [options.prepare] called before nodes are started
 * @param {(patch: object) => void} [options.genesis] changes what a chain of four validators starts from
 * @param {{seed: number, scratch: string, output: string, runtime?: string}} options.settings of the whole run
 * @param {(scene: Scene) => Promise<object>} play
 * @returns what `play` returned, with the net's own figures
 */
export async function withScene(
  { name, validators, others = [], conditions, nodes = {}, prepare, genesis, settings },
  play,
) {
  const folder = join(settings.scratch, name);
  const { seed } = settings;
  const net = await Net.start(folder, [...validators, ...others], seed);
  const watch = new Watch();
  try {
    await net.conditions(conditions);
    const { mean, spread, loss } = conditions;
    say(
      `${validators.length} validators; asked of the relay: ${mean} +- ${spread} ms there and back, ` +
        `${loss} % of packets lost in each direction; seed ${seed}`,
    );
    const ping = await net.ping();
    say(pingText(ping));

    const { runtime } = settings;
    const specification =
      validators.length === 4 ? await fourValidators(folder, runtime, genesis) : threeValidators(folder, runtime);
    prepare?.(net);
    const start = async (end) => {
      const { url } = await net.startNode(end, specification, { peers: validators, ...nodes[end] });
      await watch.join(end, url);
    };
    // All of them, before the first failure is told: none may be starting when the net is taken down.
    const started = await Promise.allSettled(validators.map(start));
    for (const { reason } of started) if (reason !== undefined) throw reason;
    const wait = (what, seconds, condition) =>
      until(what, seconds, () => {
        net.checkNodes();
        watch.check();
        return condition();
      });
    await wait("the first final blocks", START_SECONDS, () =>
      validators.every((end) => watch.final(end).number >= STARTED),
    );
    say(`the chain finalises, with slots of ${watch.slotMilliseconds} ms`);

    const found = await play({ net, watch, specification, wait });
    watch.check();
    return {
      seed,
      conditions,
      ping,
      slotMilliseconds: watch.slotMilliseconds,
      ...found,
      relay: await net.statistics(),
    };
  } finally {
    await watch.close();
    await net.stop(join(settings.output, "logs", name));
  }
}

/** Median and 99th percentile of finality's lag over blocks, in seconds, one value for each block and node. */
export function lagOf(watch, blocks) {
  const lags = blocks.flatMap((block) => watch.lags(block));
  return { count: lags.length, median: quantile(lags, 0.5), p99: quantile(lags, 0.99), most: quantile(lags, 1) };
}

export function lagText({ median, p99, most }) {
  return `median ${fixed(median, 2)} s, 99th percentile ${fixed(p99, 2)} s, most ${fixed(most, 2)} s`;
}
