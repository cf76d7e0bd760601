// The main path from end to end, with every part real: a contributor's records, a builder's job, a model
// that the chain knows, answers that a payer pays for, a settlement, and the contributor's claim. The
// operator's worker and the payer's proxy are killed on the way, again and again.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { OPEN, developmentAccounts, eventData, freePort, sendAndInclude } from "./client.mjs";
import { contributeRecords, lineRecords } from "./contribution.mjs";
import { withChain } from "./fixture.mjs";
import { scratchFolder, startWorker, work } from "./worker.mjs";

const MINUTES = 60_000;
const RECORDS = 24;

describe("the main path", { timeout: 10 * MINUTES }, () => {
  const folder = scratchFolder();
  const store = join(folder, "store");
  let node;
  let api;
  let accounts;
  let worker;
  let proxy;
  let port;
  let datanet;
  let model;

  after(async () => {
    await proxy?.kill();
    await worker?.kill();
  });
  withChain(async (chain) => {
    ({ node, api } = chain);
    accounts = developmentAccounts();
    port = await freePort();
  });

  const operate = () =>
    startWorker(
      ...["--node", node.url, "--store", store, "--folder", join(folder, "operator"), "--key", "//Dave"],
      ...["--log", "info", "run", "--endpoint", operatorUrl(), "--checkpoint-every", "5", "--poll", "1"],
      ...["--listen", `127.0.0.1:${port}`, "--metrics", "127.0.0.1:0"],
    );
  const operatorUrl = () => `http://127.0.0.1:${port}`;

  test("data are packed, contributed, published and accepted", async () => {
    datanet = await contributeRecords(api, { folder, store, secret: "//Bob", records: lineRecords(RECORDS) });
    const { state } = (await api.query.datanets.contributions(1)).unwrap();
    assert.ok(state.isAccepted);
  });

  test("an operator that is killed while it works delivers the model", async () => {
    const { alice } = accounts;
    const size = ["--hidden-size", "32", "--layers", "2", "--context", "64", "--steps", "40"];
    const { content } = work("--store", store, "job", "hyper-parameters", "base", ...size);
    const fee = 5n * OPEN;
    const requested = await sendAndInclude(
      api,
      api.tx.compute.requestJob("Base", [datanet], content, null, 100_000_000, 1_000, 1, fee),
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
    await Promise.race([until(["Taken"]), worker.ended]);
    await worker.kill();
    worker = operate();
    await Promise.race([until(["Transcribed", "Submitted", "Finalised"]), worker.ended]);
    await worker.kill();
    worker = operate();
    await Promise.race([until(["Finalised"]), worker.ended]);

    model = (await state()).asFinalised.model.toNumber();
    const manifest = (await api.query.models.manifests(model)).unwrap();
    const { result } = manifest.training.unwrap();
    assert.equal(manifest.owner.toString(), alice.address);
    assert.equal(result.index.commitment.count.toNumber(), RECORDS);
    assert.ok(result.lossAfter.toNumber() < result.lossBefore.toNumber(), "the model has learnt something");
    const operator = (await api.query.compute.operators(accounts.dave.address)).unwrap();
    assert.equal(operator.activeJobs.toNumber(), 0);
    assert.equal(operator.staked.toBigInt(), 0n);
  });

  test("answers are paid for, whoever is killed on the way", async () => {
    const { bob, dave, eve } = accounts;
    const issuance = (await api.query.balances.totalIssuance()).toBigInt();
    const total = async (who) => {
      const { free, reserved } = (await api.query.system.account(who.address)).data;
      return free.toBigInt() + reserved.toBigInt();
    };
    const startProxy = async () => {
      proxy = startWorker(
        ...["--node", node.url, "--folder", join(folder, "payer"), "--key", "//Eve", "--log", "warn", "pay"],
        ...["--operator-url", operatorUrl(), "--deposit", String(50n * OPEN), "--listen", "127.0.0.1:0", "--poll", "1"],
      );
      return (await proxy.seen(/^url /)).split(/\s+/)[1];
    };
    let url = await startProxy();
    const served = async () => {
      for (;;) {
        const response = await fetch(`${url}/models`).then((answer) => answer.json(), () => ({}));
        if (response.data?.length > 0) return;
        await Promise.race([new Promise((resolve) => setTimeout(resolve, 300)), worker.ended, proxy.ended]);
      }
    };
    const ask = async (prompt) => {
      const response = await fetch(`${url}/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: String(model), prompt, max_tokens: 40, temperature: 0 }),
      });
      const body = await response.json();
      assert.equal(response.status, 200, JSON.stringify(body));
      return body.openledger;
    };
    await served();
    let attributions = 0;
    let last;
    for (let record = 0; attributions === 0; record += 1) {
      assert.ok(record < RECORDS, "a question about one of the records is traced to some record");
      last = await ask(`line 1 of record ${record} says ${record}\nline 2 of record ${record} says`);
      attributions += last.credits + last.spans;
    }

    // While it serves: the books go on where they were.
    await worker.kill();
    worker = operate();
    await served();
    const next = await ask("line 3 of record 1 says 3\n");
    assert.equal(next.sequence, last.sequence + 1);
    await proxy.kill();
    url = await startProxy();
    last = await ask("line 4 of record 2 says 8\n");
    assert.equal(last.channel, next.channel, "the proxy knows its channel again");
    assert.equal(last.sequence, next.sequence + 1);

    // While it settles: settled once, however often it is told to.
    const channel = async () => (await api.query.channels.channels(last.channel)).unwrap();
    const settle = () => fetch(`${operatorUrl()}/v1/openledger/settle`, { method: "POST" }).catch(() => undefined);
    settle();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await worker.kill();
    worker = operate();
    await served();
    while ((await channel()).mark.sequence.toNumber() < last.sequence) {
      await settle();
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 500)), worker.ended]);
    }
    assert.equal((await channel()).mark.cumulative.toBigInt(), BigInt(last.cumulative));
    await worker.kill();
    worker = operate();
    while ((await api.query.attribution.settlements.entries()).length > 0) {
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 500)), worker.ended]);
    }

    const { claimable } = (await api.call.attributionApi.earnings(bob.address)).toJSON();
    assert.equal(BigInt(claimable), BigInt(last.cumulative) / 5n, "a fifth of what was paid goes to whose data it was");
    const claimed = await sendAndInclude(api, api.tx.attribution.claim(10), bob);
    assert.equal(eventData(claimed, "attribution.Claimed").amount.toBigInt(), BigInt(claimable));

    // All that the payer did not spend comes back.
    const before = await total(eve);
    await fetch(`${url}/openledger/close`, { method: "POST" });
    while ((await api.query.channels.channels(last.channel)).isSome) {
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 500)), worker.ended, proxy.ended]);
    }
    assert.equal((await api.query.system.account(eve.address)).data.reserved.toBigInt(), 0n);
    assert.ok(before - (await total(eve)) < OPEN, "closing costs a fee and no more");
    assert.equal((await api.query.compute.operators(dave.address)).unwrap().staked.toBigInt(), 0n);
    assert.equal((await api.query.balances.totalIssuance()).toBigInt(), issuance);
  });
});
