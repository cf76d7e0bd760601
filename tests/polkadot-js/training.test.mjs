// A training job from end to end, with every part real: a contributor's records, a builder's job, an
// operator's worker that is killed on the way, and a model that the chain knows.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { OPEN, connect, developmentAccounts, eventData, finalised, sendAndInclude } from "./client.mjs";
import { startNode } from "./node.mjs";
import { scratchFolder, startWorker, work } from "./worker.mjs";

const MINUTES = 60_000;

describe("a training job", { timeout: 8 * MINUTES }, () => {
  const folder = scratchFolder();
  const store = join(folder, "store");
  let node;
  let api;
  let accounts;
  let worker;
  let datanet;

  before(async () => {
    node = await startNode();
    api = await connect(node.url);
    accounts = developmentAccounts();
  });

  after(async () => {
    await worker?.kill();
    await api?.disconnect();
    await node?.stop();
  });

  const operate = () =>
    startWorker(
      ...["--node", node.url, "--store", store, "--folder", join(folder, "operator"), "--key", "//Dave"],
      ...["--log", "info", "run", "--endpoint", "http://127.0.0.1:9", "--checkpoint-every", "5", "--poll", "1"],
    );

  test("data are packed, contributed, published and accepted", async () => {
    const { alice, bob } = accounts;
    const created = await sendAndInclude(api, api.tx.datanets.createOpen("lines"), alice);
    datanet = eventData(created, "datanets.DatanetCreated")[0].toNumber();
    const records = Array.from({ length: 24 }, (_, record) =>
      Array.from({ length: 12 }, (_, line) => `line ${line} of record ${record} says ${record * line}`).join("\n"),
    );
    const file = join(folder, "records.jsonl");
    writeFileSync(file, records.map((text) => JSON.stringify({ text })).join("\n"));
    const payload = join(folder, "bob.payload");
    const packed = work("--key", "//Bob", "data", "pack", file, "--output", payload);
    assert.equal(packed.count, records.length);

    const licence = {
      spdx: "MIT",
      terms: { derivatives: true, commercial: true, shareAlike: false, attribution: true },
    };
    const leaves = { root: packed.root, count: packed.count };
    const stake = 3n * OPEN;
    const contributed = await sendAndInclude(
      api,
      api.tx.datanets.contribute(datanet, leaves, packed.bytes, "Text", packed.content, licence, null, stake),
      bob,
    );
    const sequence = eventData(contributed, "datanets.Contributed")[0].toNumber();
    assert.equal(work("--store", store, "data", "publish", payload).content, packed.content);
    const details = (await api.query.datanets.contributions(sequence)).unwrap();
    const window = (await api.query.attribution.rulesetOf(0)).unwrap().data.contributionWindow.toNumber();
    await finalised(api, details.submittedAt.toNumber() + window);
    await sendAndInclude(api, api.tx.datanets.accept(sequence), bob);
  });

  test("an operator that is killed while it works delivers the model", async () => {
    const { alice } = accounts;
    const size = ["--hidden-size", "32", "--layers", "2", "--context", "64", "--steps", "40"];
    const recipe = work("--store", store, "job", "hyper-parameters", "base", ...size);
    const hyperParameters = Object.values(recipe).find((value) => /^0x[0-9a-f]{64}$/.test(value));
    const fee = 5n * OPEN;
    const requested = await sendAndInclude(
      api,
      api.tx.compute.requestJob("Base", [datanet], hyperParameters, null, 100_000_000, 1_000, 1, fee),
      alice,
    );
    const job = eventData(requested, "compute.JobRequested")[0].toNumber();

    const state = async () => (await api.query.compute.jobs(job)).unwrap().state;
    const until = async (wanted) => {
      while (!wanted.includes((await state()).type)) {
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    };
    worker = operate();
    await Promise.race([until(["Taken"]), worker.seen(/\0/)]);
    await worker.kill();
    worker = operate();
    await Promise.race([until(["Transcribed", "Submitted", "Finalised"]), worker.seen(/\0/)]);
    await worker.kill();
    worker = operate();
    await Promise.race([until(["Finalised"]), worker.seen(/\0/)]);

    const model = (await state()).asFinalised.model.toNumber();
    const manifest = (await api.query.models.manifests(model)).unwrap();
    const { result } = manifest.training.unwrap();
    assert.equal(manifest.owner.toString(), alice.address);
    assert.equal(result.index.commitment.count.toNumber(), 24);
    assert.ok(result.lossAfter.toNumber() < result.lossBefore.toNumber(), "the model has learnt something");
    const operator = (await api.query.compute.operators(accounts.dave.address)).unwrap();
    assert.equal(operator.activeJobs.toNumber(), 0);
    assert.equal(operator.staked.toBigInt(), 0n);
  });
});
