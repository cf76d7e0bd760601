// Nodes that come late: one by warp sync, one from a copy of another's database.

import { createHash } from "node:crypto";
import { cpSync } from "node:fs";
import { join as path } from "node:path";

import { ask } from "../polkadot-js/node.mjs";
import { FAR, FOUR, withScene } from "./scene.mjs";
import { check, fixed, say, table } from "./text.mjs";

const JOINER = "joiner";
const COPY = "copy";
/** The validator whose database is copied. */
const ORIGINAL = "dave";
/** Changes of the authorities' set that warp sync has to prove. */
const SETS = 3;
const SETS_SECONDS = 600;
const SYNC_SECONDS = 240;
/** Final blocks after which a copy is not new any more. */
const LATER_BLOCKS = 5;

export function join(settings) {
  return withScene(
    { name: "join", validators: FOUR, others: [JOINER, COPY], conditions: FAR, settings },
    async (scene) => {
      const joiner = await warp(scene);
      const copy = await snapshot(scene);
      table([
        ["late node", "starts at block", "same final block", "after", "same entries of its state"],
        ["by warp sync", joiner.from, joiner.number, `${fixed(joiner.seconds, 1)} s`, joiner.entries],
        ["from a copied database", copy.from, copy.number, `${fixed(copy.seconds, 1)} s`, copy.entries],
      ]);
      return { joiner, copy };
    },
  );
}

/** The height of a node's last final block. */
async function finalNumber(url) {
  const { number } = await ask(url, "chain_getHeader", await ask(url, "chain_getFinalizedHead"));
  return Number(number);
}

/** All that stands in a node's state after a block, and how many entries that is. */
async function stateOf(url, hash) {
  const pairs = await ask(url, "state_getPairs", "0x", hash);
  return { entries: pairs.length, digest: createHash("sha256").update(JSON.stringify(pairs)).digest("hex") };
}

/** Waits until a late node has the final block that the others have now, and compares hash and state. */
async function level({ net, watch, wait }, name, start) {
  const goal = watch.final("alice");
  const { url } = net.node(name);
  await wait(
    `${name} at final block ${goal.number}`,
    SYNC_SECONDS,
    async () => (await finalNumber(url)) >= goal.number,
  );
  const seconds = (Date.now() - start) / 1_000;
  const hash = await ask(url, "chain_getBlockHash", goal.number);
  check(hash === goal.hash, `${name} has another block at height ${goal.number}: ${hash}, not ${goal.hash}`);
  const [its, others] = [await stateOf(url, hash), await stateOf(net.node("alice").url, hash)];
  check(
    its.digest === others.digest,
    `${name} has another state after block ${goal.number}: ${its.entries} entries, not ${others.entries}`,
  );
  return { number: goal.number, hash, seconds, entries: its.entries };
}

async function warp(scene) {
  const { net, watch, specification, wait } = scene;
  const setId = async () => (await watch.api("alice").query.grandpa.currentSetId()).toNumber();
  const sets = await wait(`${SETS} changes of the authorities' set`, SETS_SECONDS, async () => {
    const set = await setId();
    return set >= SETS && set;
  });
  say(`the authorities' set has changed ${sets} times, final block ${watch.final("alice").number}: a new node warps`);
  const start = Date.now();
  const { url, log } = await net.startNode(JOINER, specification, {
    validator: false,
    peers: FOUR,
    extraArguments: ["--sync", "warp"],
  });
  await wait("the end of the warp", SYNC_SECONDS, () => log.some((line) => line.includes("Warp sync is complete")));
  const warped = (Date.now() - start) / 1_000;
  // Then it fetches the state of the block that it has warped to: the first that it has after genesis.
  const from = await wait("a block with its state after the warp", SYNC_SECONDS, () => finalNumber(url));
  // Of that block it has no parent yet, at which polkadot.js would look the runtime's version up.
  await wait("a final block after the warp", SYNC_SECONDS, async () => (await finalNumber(url)) > from);
  await watch.join(JOINER, url);
  const found = await level(scene, JOINER, start);
  say(
    `it has warped after ${fixed(warped, 1)} s, to block ${from}, and has the same final block ${found.number} ` +
      `and all ${found.entries} entries of its state after ${fixed(found.seconds, 1)} s`,
  );
  return { sets, warped, from, ...found };
}

async function snapshot(scene) {
  const { net, watch, specification, wait } = scene;
  await watch.leave(ORIGINAL);
  await net.stopNode(ORIGINAL);
  // Neither its keys nor its identity: two nodes with the same would be punished.
  const secret = new Set(["keystore", "network"]);
  cpSync(path(net.folderOf(ORIGINAL), "chains"), path(net.folderOf(COPY), "chains"), {
    recursive: true,
    filter: (source) => !secret.has(source.split("/").at(-1)),
  });
  const original = await net.startNode(ORIGINAL, specification, { peers: FOUR });
  await watch.join(ORIGINAL, original.url);
  const later = watch.final("alice").number + LATER_BLOCKS;
  await wait("some blocks that the copy lacks", SYNC_SECONDS, () => watch.final("alice").number >= later);

  const start = Date.now();
  const { url, log } = await net.startNode(COPY, specification, { validator: false, peers: FOUR });
  const from = Number(/Highest known block at #(\d+)/.exec(log.join("\n"))?.[1]);
  check(
    from > 0,
    `the copy does not say that it starts from the copied blocks. Its first lines:\n${log.slice(0, 20).join("\n")}`,
  );
  await watch.join(COPY, url);
  const found = await level(scene, COPY, start);
  say(
    `a follower from a copy of ${ORIGINAL}'s database starts at block ${from}, and has the same final block ` +
      `${found.number} and all ${found.entries} entries of its state after ${fixed(found.seconds, 1)} s`,
  );
  return { from, ...found };
}
