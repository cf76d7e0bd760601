// Lies about who is paid, and what becomes of them: an operator settles forged receipts, a watcher proves
// each by one transaction, the payer gets its money back and the operator loses its bond.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { OPEN, developmentAccounts, eventData, eventName, sendAndInclude } from "./client.mjs";
import { contributeRecords, lineRecords } from "./contribution.mjs";
import { withChain } from "./fixture.mjs";
import { scratchFolder, startForger, startWorker, work, workLater } from "./worker.mjs";

const MINUTES = 60_000;
/** What is falsified, and what the chain then says was proven. */
const LIES = {
  // First, because it takes the demand's window.
  withheld: "Withheld",
  chain: "BrokenChain",
  cumulative: "WrongCumulative",
  price: "UnderPriceFloor",
  version: "WrongModel",
  score: "WrongScore",
  "omitted-row": "OmittedRow",
  "ineligible-row": "IneligibleRow",
  "foreign-row": "UnknownRow",
  query: "MalformedQuery",
  "wrong-bytes": "WrongBytes",
  "short-span": "BetterSpan",
  "omitted-span": "BetterSpan",
  owner: "WrongTotals",
  split: "WrongTotals",
  totals: "WrongTotals",
  equivocation: "Equivocation",
};

describe("forged settlements", { timeout: 8 * MINUTES }, () => {
  const folder = scratchFolder();
  const store = join(folder, "store");
  let node;
  let api;
  let accounts;
  let worker;
  let url;
  let channel;
  let honest;
  const started = [];
  let rules;

  // Also those that a failed test left running: their pipes would keep this process alive.
  after(() => Promise.all(started.map(({ end, kill }) => (end ?? kill)())));
  withChain(async (chain) => {
    ({ node, api } = chain);
    accounts = developmentAccounts();
    rules = (await api.query.attribution.rulesetOf(0)).unwrap().settlement;
  });

  const bondOf = async (operator) => (await api.query.compute.operators(operator.address)).unwrap().bond.toBigInt();
  const settlementOf = async (id) => api.query.attribution.settlements(id);

  /** Settles an answer of the operator with a lie in it, and shows the receipt until it is ended. */
  const forge = async (lie, ...more) => {
    const forged = await startForger(
      ...["--node", node.url, "--store", store, "--operator-url", url, "--channel", String(channel)],
      ...["--operator-key", "//Dave", "--payer-key", "//Eve", "--lie", lie, ...more],
    );
    started.push(forged);
    return forged;
  };
  /** Starts a worker that runs until the tests are over. */
  const start = (...words) => {
    started.push(startWorker(...words));
    return started.at(-1);
  };

  /** Watches a settlement as one of the development accounts. */
  const watch = (forged, name, ...more) =>
    workLater(
      ...["--node", node.url, "--store", store, "--folder", join(folder, `watcher-${forged.settlement}`)],
      ...["--key", `//${name[0].toUpperCase()}${name.slice(1)}`],
      ...["watch", "--settlement", String(forged.settlement), "--operator-url", forged.url, ...more],
    );

  test("an operator trains a model and answers", async () => {
    const { dave, eve } = accounts;
    const bond = 60_000n * OPEN;
    await sendAndInclude(api, api.tx.compute.registerOperator(bond, "{}", "http://127.0.0.1:9"), dave);
    const opened = await sendAndInclude(api, api.tx.channels.open(dave.address, null, 100n * OPEN, 10_000), eve);
    channel = eventData(opened, "channels.Opened")[0].toNumber();

    const datanet = await contributeRecords(api, { folder, store, secret: "//Bob", records: lineRecords(12) });

    worker = start(
      ...["--node", node.url, "--store", store, "--folder", join(folder, "operator"), "--key", "//Dave"],
      ...["run", "--endpoint", "http://127.0.0.1:9", "--poll", "1", "--listen", "127.0.0.1:0"],
    );
    const size = ["--hidden-size", "32", "--layers", "2", "--context", "64", "--steps", "10"];
    const { content } = work("--store", store, "job", "hyper-parameters", "base", ...size);
    const price = "1000000000";
    const requested = await workLater(
      ...["--node", node.url, "--key", "//Alice", "job", "request", "--datanets", String(datanet)],
      ...["--hyper-parameters", content, "--price", price, "--price-floor", price, "--fee", String(5n * OPEN)],
    );
    const shown = work("--node", node.url, "job", "show", String(requested.job));
    assert.deepEqual([shown.job, shown.fee], [requested.job, String(5n * OPEN)]);
    const listening = await worker.seen(/listening.*127\.0\.0\.1:\d+/);
    url = `http://${/127\.0\.0\.1:\d+/.exec(listening)[0]}`;
    await worker.seen(/serving a model/);

    const models = await (await fetch(`${url}/v1/models`)).json();
    const answered = await fetch(`${url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-openledger-channel": String(channel) },
      body: JSON.stringify({ model: models.data[0].id, prompt: "line 3 of", max_tokens: 8 }),
    });
    const body = await answered.json();
    assert.equal(answered.status, 200, JSON.stringify(body));
    assert.equal(body.openledger.sequence, 1);
    const traced = work("trace", "--url", url, "--channel", String(channel), "--sequence", "1");
    assert.equal(traced.response, body.choices[0].text);
  });

  test("an honest settlement stands, even if its operator can only be asked on chain", async () => {
    honest = await forge("none");
    assert.equal(honest.proves, null);
    const unreachable = { ...honest, url: "http://127.0.0.1:9" };
    const demanded = await watch(unreachable, "charlie", "--challenge");
    assert.deepEqual([demanded.findings, demanded.verdict], [[], "stands"]);
    // The receipt and a chunk of the response.
    assert.equal(demanded.demands.length, 2, JSON.stringify(demanded));
    await worker.seen(new RegExp(`answered a demand.*demand=${demanded.demands[1]}`));

    const follower = start(
      ...["--json", "--node", node.url, "--store", store, "--folder", join(folder, "follower")],
      ...["watch", "--follow", "--operator-url", url, "--poll", "1"],
    );
    await follower.seen(new RegExp(`"findings":\\[\\].*"settlement":${honest.settlement},`));

    const looked = await watch(honest, "charlie");
    assert.deepEqual([looked.findings, looked.unchecked, looked.receipts], [[], [], 1]);
    assert.ok((await settlementOf(honest.settlement)).isSome);
  });

  test("a challenge that proves nothing costs its sender", async () => {
    const { ferdie } = accounts;
    const raw = await fetch(`${honest.url}/v1/openledger/receipts/${channel}/${honest.sequence}/raw`);
    const bytes = new Uint8Array(await raw.arrayBuffer());
    // A stored receipt begins with the signed one.
    const call = api.tx.attribution.challengeSettlement(honest.settlement, bytes);
    const free = async () => (await api.query.system.account(ferdie.address)).data.free.toBigInt();
    const before = await free();
    const sent = await sendAndInclude(api, call, ferdie);
    const [settlement, challenger, bond, reason] = eventData(sent, "attribution.ChallengeRejected");
    assert.equal(settlement.toNumber(), honest.settlement);
    assert.equal(challenger.toString(), ferdie.address);
    assert.equal(bond.toBigInt(), rules.challengeBond.toBigInt());
    assert.equal(reason.type, "Honest");
    assert.ok((await free()) <= before - bond.toBigInt());
  });

  /** Checks what the chain did when `challenger` proved the lie of a forged settlement. */
  async function wasVoided(forged, challenger, watched) {
    const { dave, eve } = accounts;
    const proven = LIES[forged.lie];
    assert.equal(forged.proves, proven);
    const shown = `${forged.lie}: ${JSON.stringify(watched)}`;
    assert.deepEqual([watched.verdict, watched.lie], ["voided", proven], shown);

    const block = await api.at(await api.rpc.chain.getBlockHash(watched.block));
    const events = (await block.query.system.events()).filter((record) => eventName(record) === "attribution.Voided");
    const voided = events.find(({ event }) => event.data[0].toNumber() === forged.settlement);
    const [, , operator, payer, lie, winner, refunded, slashed] = voided.event.data;
    assert.equal(lie.type, proven);
    assert.deepEqual(
      [operator, payer, winner].map(String),
      [dave, eve, accounts[challenger]].map(({ address }) => address),
    );
    assert.equal(refunded.toBigInt(), BigInt(forged.amount));
    assert.equal(slashed.toBigInt(), rules.lieSlash.toBigInt());
    assert.ok((await settlementOf(forged.settlement)).isNone);
    await forged.end();
  }

  /** Watches a forged settlement as `challenger`, which voids it. */
  const isVoided = async (forged, challenger) =>
    wasVoided(forged, challenger, await watch(forged, challenger, "--challenge"));

  test("every lie is voided, and costs the operator its bond", async () => {
    const bond = await bondOf(accounts.dave);
    const challengers = ["alice", "bob", "ferdie"];
    const voided = [];
    for (const [at, lie] of Object.keys(LIES).entries()) {
      // One after another, since they are one channel's; each is watched while the next is forged.
      const forged = await forge(lie, "--copy");
      const challenger = lie === "withheld" ? "charlie" : challengers[at % challengers.length];
      voided.push(isVoided(forged, challenger));
    }
    await Promise.all(voided);
    assert.equal(await bondOf(accounts.dave), bond - BigInt(voided.length) * rules.lieSlash.toBigInt());
  });

  test("a watcher that follows the operator voids by itself", async () => {
    const forged = await forge("score", "--copy");
    const follower = start(
      ...["--json", "--node", node.url, "--store", store, "--folder", join(folder, "challenger"), "--key", "//Ferdie"],
      ...["watch", "--follow", "--operator", accounts.dave.address, "--operator-url", forged.url],
      ...["--challenge", "--poll", "1"],
    );
    const line = await follower.seen(new RegExp(`"settlement":${forged.settlement}\\b.*"verdict"`));
    await wasVoided(forged, "ferdie", JSON.parse(line));
  });
});
