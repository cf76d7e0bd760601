// A contribution from end to end: packed by the worker, registered, published, accepted.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { OPEN, account, eventData, finalised, sendAndInclude } from "./client.mjs";
import { work } from "./worker.mjs";

/** What most contributions allow. */
const LICENCE = {
  spdx: "MIT",
  terms: { derivatives: true, commercial: true, shareAlike: false, attribution: true },
};

/** Records of twelve lines each that no two have in common. */
export function lineRecords(count) {
  const line = (record) => (_, number) => `line ${number} of record ${record} says ${record * number}`;
  return Array.from({ length: count }, (_, record) => Array.from({ length: 12 }, line(record)).join("\n"));
}

/**
 * Makes an open Datanet with the records of one contributor in it.
 *
 * @param {object} api a connected polkadot.js API
 * @param {object} options
 * @param {string} options.folder for the files on the way
 * @param {string} options.store the worker's content store
 * @param {string} options.secret the contributor's secret, such as `//Bob`
 * @param {string[]} options.records their texts
 * @returns {Promise<number>} the Datanet, whose only contribution is accepted
 */
export async function contributeRecords(api, { folder, store, secret, records }) {
  const contributor = account(secret);
  const created = await sendAndInclude(api, api.tx.datanets.createOpen("lines"), contributor);
  const datanet = eventData(created, "datanets.DatanetCreated")[0].toNumber();
  const file = join(folder, "records.jsonl");
  writeFileSync(file, records.map((text) => JSON.stringify({ text })).join("\n"));
  const payload = join(folder, "records.payload");
  const key = join(folder, "contributor.key");
  writeFileSync(key, secret, { mode: 0o600 });
  const { root, count, bytes, content } = work("--key-file", key, "data", "pack", file, "--output", payload);
  const call = api.tx.datanets.contribute(datanet, { root, count }, bytes, "Text", content, LICENCE, null, 3n * OPEN);
  const contributed = await sendAndInclude(api, call, contributor);
  const sequence = eventData(contributed, "datanets.Contributed")[0].toNumber();
  // Only now: whoever sees the records could have registered them first.
  const published = work("--store", store, "data", "publish", payload);
  if (published.content !== content) throw new Error(`${published.content} was published, ${content} registered`);
  const details = (await api.query.datanets.contributions(sequence)).unwrap();
  const window = (await api.query.attribution.rulesetOf(0)).unwrap().data.contributionWindow.toNumber();
  await finalised(api, details.submittedAt.toNumber() + window);
  await sendAndInclude(api, api.tx.datanets.accept(sequence), contributor);
  return datanet;
}
