// The main path from end to end, with every part real: a contributor's records, a builder's job, a model
// that the chain knows, answers that a payer pays for, a settlement, and the contributor's claim. The
// operator's worker and the payer's proxy are killed on the way, again and again.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";

import { OPEN, developmentAccounts, eventData, freePort, sendAndInclude } from "./client.mjs";
import { contributeRecords, lineRecords } from "./contribution.mjs";
import { withChain } from "./fixture.mjs";
import { nodeBinary } from "./node.mjs";
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
  const database = join(folder, "node");
  withChain(
    async (chain) => {
      ({ node, api } = chain);
      accounts = developmentAccounts();
      port = await freePort();
    },
    { folder: database, figures: true },
  );

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

  test("operators see it among their node's figures", async () => {
    const figure = (text, name) => {
      const line = text.split("\n").find((one) => one.startsWith(`openledger_${name}{`) || one.startsWith(`openledger_${name} `));
      assert.ok(line, `${name} is published:\n${text}`);
      return Number(line.split(" ").at(-1));
    };
    const published = async () => (await fetch(node.figures)).text();
    // The channel was closed in the last block, which has to become final; the state is read four times a minute.
    const deadline = Date.now() + MINUTES;
    while (figure(await published(), "channels_open") !== 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const text = await published();
    assert.equal(figure(text, "contributions_accepted_total"), 1);
    assert.equal(figure(text, "jobs_finalised_total"), 1);
    assert.equal(figure(text, "settlements_total"), 1);
    assert.ok(figure(text, "receipts_settled_total") >= 3);
    assert.ok(figure(text, "settled_amount_total") > 0);
    assert.equal(figure(text, "operators"), 1);
    assert.ok(figure(text, "operator_bonds") >= 1_000, "in OPEN");
    for (const none of ["jobs_open", "demands_open", "channel_liabilities", "slashed_total"]) {
      assert.equal(figure(text, none), 0, none);
    }
  });

  test("what all this leaves on the chain passes through an upgrade with all books right", async () => {
    await worker.kill();
    await proxy.kill();
    await api.disconnect();
    await node.stop();
    const state = join(folder, "state.json");
    const file = openSync(state, "w");
    const where = ["--chain", "dev", "--base-path", database];
    const exported = spawnSync(nodeBinary(), ["export-state", ...where], { stdio: ["ignore", file, "pipe"], encoding: "utf8" });
    closeSync(file);
    assert.equal(exported.status, 0, exported.stderr);
    const checked = spawnSync(join(dirname(nodeBinary()), "examples", "check-state"), [state], { encoding: "utf8" });
    assert.equal(checked.status, 0, checked.stderr);
    assert.match(checked.stdout, /after the upgrade to version \d+, .*: right/);
  });
});
