// Records that somebody else had first: found by the worker, proven on chain.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { contributeRecords, lineRecords } from "./contribution.mjs";
import { withChain } from "./fixture.mjs";
import { scratchFolder, work } from "./worker.mjs";

describe("copied records", { timeout: 300_000 }, () => {
  const folder = scratchFolder();
  const store = join(folder, "store");
  let node;
  let api;

  withChain((chain) => ({ node, api } = chain));

  const contribute = (name, records) => {
    const own = join(folder, name);
    mkdirSync(own);
    return contributeRecords(api, { folder: own, store, secret: `//${name}`, records });
  };
  const copiesOf = (contribution) =>
    work("--node", node.url, "--store", store, "--key", "//Ferdie", "data", "copies", String(contribution), "--challenge");

  test("cost their contributor the stake, and the finder is paid", async () => {
    await contribute("Bob", lineRecords(6));
    const datanet = await contribute("Charlie", lineRecords(2));
    const found = copiesOf(2);
    assert.equal(found.copies.length, 2);
    // The first takes the contribution over the threshold, which ends it: there is nothing left to prove.
    assert.equal(found.proven, 1);
    const fallen = (await api.query.datanets.contributions(2)).unwrap();
    assert.equal(fallen.datanet.toNumber(), datanet);
    assert.equal(fallen.held.toBigInt(), 0n);
    assert.equal(fallen.tombstone.unwrap().cause.type, "Slashed");
  });

  test("are not found in what is nobody else's", () => {
    const { copies, proven } = copiesOf(1);
    assert.deepEqual([copies, proven], [[], 0]);
  });
});
