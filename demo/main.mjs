// The main job, from an empty folder: data in, models trained, answers traced, contributors paid; and
// two cheats who pay for it. Everything is real: three validators, an operator's worker, a payer's
// proxy, and crates of the local cargo registry as data.
//
// scripts/demo.sh builds what this needs and starts it.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { OPEN, connect, developmentAccounts, eventData, freePort, sendAndInclude } from "../tests/polkadot-js/client.mjs";
import { startValidators } from "../tests/polkadot-js/node.mjs";
import { scratchFolder, startForger, startWorker, work, workLater } from "../tests/polkadot-js/worker.mjs";
import { Person, balancesAt, eventsBetween, sum } from "./accounts.mjs";
import { DATANETS, crates } from "./crates.mjs";
import { writeReport } from "./report.mjs";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));

/** What contributors start with. */
const POCKET_MONEY = 100n * OPEN;
const CONTRIBUTION_STAKE = 5n * OPEN;
const BASE_FEE = 50n * OPEN;
const ADAPTER_FEE = 25n * OPEN;
/** OPEN per token, in base units. */
const PRICE = OPEN / 20n;
const DEPOSIT = 500n * OPEN;
/** The models: small enough to be trained in a minute on two cores. Many small steps teach them more than few large ones. */
const STEPS = ["--batch-size", "2", "--learning-rate", "0.002"];
const BASE = ["--hidden-size", "128", "--layers", "4", "--context", "256", "--steps", "500", ...STEPS];
/** What an adapter learns: the style of its Datanet, or its few pages by heart, so that it quotes them. */
const ADAPTERS = {
  "Rust sources": ["--rank", "8", "--steps", "60", ...STEPS],
  "First pages": ["--rank", "32", "--steps", "450", "--batch-size", "2", "--learning-rate", "0.008"],
};
const ANSWER = { max_tokens: 140, top_p: 0.9, seed: 3 };
/** What was learnt by heart is asked for without much chance; what was not would only repeat itself then. */
const QUESTIONS = [
  { model: "First pages", prompt: "# slot", temperature: 0.4 },
  { model: "First pages", prompt: "SipHash ", temperature: 0.4 },
  { model: "base", prompt: "    pub fn ", temperature: 0.7 },
  { model: "Rust sources", prompt: "/// Returns ", temperature: 0.7 },
  { model: "First pages", prompt: "# Slab\n", temperature: 0.4 },
  { model: "First pages", prompt: "byteorder", temperature: 0.4 },
];

const options = parseArgs({ options: { stay: { type: "boolean" }, report: { type: "string" } } });
const reportFolder = options.values.report ?? join(REPOSITORY, "demo-report");

const started = Date.now();
const seconds = () => Math.round((Date.now() - started) / 1_000);
let chapters = 0;
const chapter = (title) => console.log(`\n\x1b[1m${(chapters += 1)}. ${title}\x1b[0m  (${seconds()} s)`);
const say = (text) => console.log(`   ${text}`);
const open = (amount) => `${Number((BigInt(amount) * 10_000n) / OPEN) / 10_000} OPEN`;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function post(url, body = "") {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

async function get(url) {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

const folder = scratchFolder();
const store = join(folder, "store");
const payloads = join(folder, "payloads");
mkdirSync(payloads);

// ---------------------------------------------------------------------------------------------------

chapter("Three validators and an operator, from empty folders");
const nodes = await startValidators(folder);
const [{ url: node }] = nodes;
const api = await connect(node);
// The runtime says what its windows are; nothing here assumes any.
const ruleset = (await api.query.attribution.rulesetOf(0)).unwrap();
const { alice, bob } = developmentAccounts();
const people = {
  builder: new Person("Alice", "builder of the models"),
  guard: new Person("Charlie", "watches and challenges"),
  operator: new Person("Dave", "operator"),
  liar: new Person("Eve", "dishonest operator"),
  payer: new Person("Ferdie", "asks and pays"),
};
const best = async () => (await api.rpc.chain.getHeader()).number.toNumber();
const reached = async (number) => {
  while ((await best()) < number) await pause(300);
};
await reached(1);
say(`three validators make blocks; the first listens at ${node}`);

const port = await freePort();
const operatorUrl = `http://127.0.0.1:${port}`;
const worker = startWorker(
  ...["--node", node, "--store", store, "--folder", join(folder, "operator"), "--key", people.operator.secret],
  ...["--log", "info", "run", "--endpoint", operatorUrl, "--listen", `127.0.0.1:${port}`, "--poll", "1"],
  ...["--most-unsigned", String(DEPOSIT), "--settle-amount", String(10n * DEPOSIT)],
);
say(`the operator's worker answers at ${operatorUrl}`);

// ---------------------------------------------------------------------------------------------------

chapter("Data come in: crates of the cargo registry, by their owners, under their licences");
const found = crates();
const contributors = found.map((crate) => Object.assign(new Person(crate.owner, crate.name, `//${crate.name}`), { crate }));
const original = contributors.find(({ crate }) => crate.name === "fnv");
const cheat = Object.assign(new Person("Mallory", "copies fnv"), { crate: { ...original.crate, name: "fnv-copy" } });
const strict = Object.assign(new Person("Grace", "forbids derivatives"), {
  crate: {
    datanet: "All rights reserved",
    name: "a novel",
    licence: { spdx: "LicenseRef-no-derivatives", terms: { derivatives: false, commercial: false, shareAlike: false, attribution: true } },
    records: ["Chapter one, in which nobody may learn anything from the author without asking. ".repeat(6).trim()],
  },
});

const everybody = [...contributors, cheat, strict];
const transfers = everybody.map(({ address }) => api.tx.balances.transferKeepAlive(address, POCKET_MONEY));
const datanetNames = [...new Set(everybody.map(({ crate }) => crate.datanet))];
const datanetCalls = datanetNames.map((name) => api.tx.datanets.createOpen(name));
const created = await sendAndInclude(api, api.tx.utility.batchAll([...transfers, ...datanetCalls]), alice);
const before = { block: await best(), ...(await balancesAt(api, created.blockHash)) };
const datanets = new Map();
for (const { event } of created.events) {
  if (api.events.datanets.DatanetCreated.is(event)) datanets.set(datanetNames[datanets.size], event.data[0].toNumber());
}

/** Packs a person's records and registers them; the payload is published once the chain has them. */
async function contribute(person) {
  const { crate } = person;
  const file = join(payloads, `${crate.name.replaceAll(" ", "-")}.jsonl`);
  const payload = `${file}.payload`;
  writeFileSync(file, crate.records.map((text) => JSON.stringify({ text })).join("\n"));
  const packed = work("data", "pack", file, "--contributor", person.address, "--output", payload);
  const leaves = { root: packed.root, count: packed.count };
  const call = api.tx.datanets.contribute(
    datanets.get(crate.datanet),
    leaves,
    packed.bytes,
    "Text",
    packed.content,
    crate.licence,
    null,
    CONTRIBUTION_STAKE,
  );
  const sent = await sendAndInclude(api, call, person.pair);
  person.contribution = eventData(sent, "datanets.Contributed")[0].toNumber();
  work("--store", store, "data", "publish", payload);
}

await Promise.all([...contributors, strict].map(contribute));
const contributed = await best();
for (const { name, crate } of contributors) {
  say(`${crate.name.padEnd(18)} ${String(crate.records.length).padStart(3)} records  ${crate.licence.spdx.padEnd(30)} ${name}`);
}
await contribute(cheat);
say(`${"fnv, once more".padEnd(18)} ${String(cheat.crate.records.length).padStart(3)} records  a copy, by Mallory, who did not write it`);
await reached(contributed + ruleset.data.contributionWindow.toNumber() + 1);
const honestOnes = everybody.filter((person) => person !== cheat);
const accepts = honestOnes.map(({ contribution }) => api.tx.datanets.accept(contribution));
await sendAndInclude(api, api.tx.utility.batchAll(accepts), bob);
say(`${honestOnes.length} contributions accepted: nobody had objected in the window`);
// Mallory's is still pending, so no job takes it in; what is accepted proves that it is a copy.
const caught = workLater(
  ...["--node", node, "--store", store, "--key", people.guard.secret],
  ...["data", "copies", String(cheat.contribution), "--challenge"],
);
// If it fails, that is said where its result is wanted.
caught.catch(() => {});

// ---------------------------------------------------------------------------------------------------

chapter("A base model, as a paid job on the chain");
const inputs = Object.keys(DATANETS).map((name) => datanets.get(name));
const recipe = (kind, size) => work("--store", store, "job", "hyper-parameters", kind, ...size).content;
const request = (kind, inputs, hyperParameters, fee) =>
  api.tx.compute.requestJob(kind, inputs, hyperParameters, null, 100_000_000, PRICE, PRICE / 2n, fee);
const baseRecipe = recipe("base", BASE);
const refused = await sendAndInclude(
  api,
  request("Base", [...inputs, datanets.get(strict.crate.datanet)], baseRecipe, BASE_FEE),
  alice,
).then(
  () => {
    throw new Error("the gate let a contribution through that forbids derivatives");
  },
  (error) => error,
);
if (refused.name !== "DispatchFailure") throw refused;
say(`with Grace's novel among the data the chain refuses the job: ${refused.error}`);

/** Waits for the model of a job, and says how it gets on. */
async function modelOf(job, what) {
  let last = "";
  for (;;) {
    const { state } = (await api.query.compute.jobs(job)).unwrap();
    if (state.isRefunded) throw new Error(`job ${job} was refunded: ${state.asRefunded}\n${worker.log.slice(-30).join("\n")}`);
    if (state.type !== last) say(`${what}: ${(last = state.type).toLowerCase()} (${seconds()} s)`);
    if (state.isFinalised) return state.asFinalised.model.toNumber();
    await Promise.race([pause(500), worker.ended]);
  }
}

const models = new Map();
const baseRequested = await sendAndInclude(api, request("Base", inputs, baseRecipe, BASE_FEE), alice);
const baseJob = eventData(baseRequested, "compute.JobRequested")[0].toNumber();
const copies = await caught;
const fallen = (await api.query.datanets.contributions(cheat.contribution)).unwrap();
cheat.lost = CONTRIBUTION_STAKE - fallen.held.toBigInt();
say(`meanwhile Charlie proves ${copies.proven} records of Mallory to be copies: the contribution falls, its stake of ${open(cheat.lost)} is lost`);
models.set("base", await modelOf(baseJob, "base model"));

chapter("An adapter for each Datanet");
const adapterRequests = Object.entries(ADAPTERS).map(([name, size]) =>
  request({ Adapter: { base: models.get("base") } }, [datanets.get(name)], recipe("adapter", size), ADAPTER_FEE),
);
const requested = await sendAndInclude(api, api.tx.utility.batchAll(adapterRequests), alice);
const adapterJobs = requested.events
  .filter(({ event }) => api.events.compute.JobRequested.is(event))
  .map(({ event }) => event.data[0].toNumber());

// Meanwhile the payer opens its channels: one by its proxy, one to a liar.
const proxy = startWorker(
  ...["--node", node, "--folder", join(folder, "payer"), "--key", people.payer.secret, "--log", "warn"],
  ...["pay", "--operator-url", operatorUrl, "--deposit", String(DEPOSIT), "--listen", "127.0.0.1:0", "--poll", "1"],
);
const proxyUrl = (await proxy.seen(/^url /)).split(/\s+/)[1];
const bond = ruleset.compute.operatorBond.toBigInt();
await sendAndInclude(api, api.tx.compute.registerOperator(bond, '{"device":"none"}', "http://127.0.0.1:9"), people.liar.pair);
const lied = await sendAndInclude(
  api,
  api.tx.channels.open(people.liar.address, null, DEPOSIT, (await best()) + 1_000),
  people.payer.pair,
);
await Promise.all(
  adapterJobs.map(async (job, position) => {
    const name = Object.keys(ADAPTERS)[position];
    models.set(name, await modelOf(job, `adapter “${name}”`));
  }),
);
const manifests = new Map();
for (const [name, model] of models) {
  const manifest = (await api.query.models.manifests(model)).unwrap();
  const { result } = manifest.training.unwrap();
  manifests.set(name, {
    model,
    rows: result.index.commitment.count.toNumber(),
    lossBefore: result.lossBefore.toNumber(),
    lossAfter: result.lossAfter.toNumber(),
    transcript: result.transcript.commitment.root.toHex(),
  });
}

// ---------------------------------------------------------------------------------------------------

chapter("Questions, through a payment channel");
say(`the payer's proxy, an ordinary OpenAI API: ${proxyUrl}`);
for (let wanted = models.size; ; await pause(500)) {
  const served = (await get(`${proxyUrl}/models`)).data.length;
  if (served >= wanted) break;
}
const byContribution = new Map(contributors.map((person) => [person.contribution, person]));
const answers = [];
for (const { model, prompt, temperature } of QUESTIONS) {
  const question = { model: String(models.get(model)), prompt, temperature, ...ANSWER };
  const answer = await post(`${proxyUrl}/completions`, question);
  const { channel, sequence } = answer.openledger;
  const trace = await get(`${operatorUrl}/v1/openledger/receipts/${channel}/${sequence}`);
  const shares = new Map();
  for (const part of [...trace.credits, ...trace.spans]) {
    const owner = byContribution.get(part.contribution);
    shares.set(owner, (shares.get(owner) ?? 0n) + BigInt(part.amount));
  }
  const ranked = [...shares].sort(([, left], [, right]) => (left < right ? 1 : -1));
  answers.push({ model, prompt, text: answer.choices[0].text, trace, shares: ranked });
  const best3 = ranked.slice(0, 3).map(([{ crate }, amount]) => `${crate.name} ${open(amount)}`);
  const quoted = trace.spans.length === 1 ? "1 quote" : `${trace.spans.length} quotes`;
  say(`“${prompt.trim()}”: ${trace.credits.length} credits by influence, ${quoted}; ${best3.join(", ") || "nobody's data"}`);
}

// ---------------------------------------------------------------------------------------------------

chapter("Settlement, and a liar who settles a forged receipt");
const settledAt = await best();
const settlements = [];
while (settlements.length === 0) {
  settlements.push(...(await post(`${operatorUrl}/v1/openledger/settle`)).settled);
  await pause(500);
}
// It is gone from the chain once all are paid.
const split = { operator: 0n, builder: 0n, data: 0n, stakers: 0n, treasury: 0n };
for (const { settlement } of settlements) {
  const { split: parts } = (await api.query.attribution.settlements(settlement)).unwrap();
  for (const name of Object.keys(split)) split[name] += parts[name].toBigInt();
}
say(`the operator settles ${open(settlements.reduce((total, { amount }) => total + BigInt(amount), 0n))}; anybody may challenge it for ${ruleset.settlement.settlementWindow} blocks`);

const honest = answers.find(({ trace }) => trace.credits.length > 0);
if (honest === undefined) throw new Error("no answer credits a record, so there is no score to forge");
const forged = await startForger(
  ...["--node", node, "--store", store, "--operator-url", operatorUrl],
  ...["--channel", String(honest.trace.channel), "--sequence", String(honest.trace.sequence)],
  ...["--settle-channel", String(eventData(lied, "channels.Opened")[0])],
  ...["--operator-key", people.liar.secret, "--payer-key", people.payer.secret, "--lie", "score"],
);
say(`Eve settles a receipt that she never earned, with a forged score, as settlement ${forged.settlement}`);
const verdict = work(
  ...["--node", node, "--store", store, "--folder", join(folder, "guard"), "--key", people.guard.secret],
  ...["watch", "--settlement", String(forged.settlement), "--operator-url", forged.url, "--challenge"],
);
// Another block may take the place of the one that the watcher saw it in, and hold it later.
let voided;
for (const seenAt = await best(); voided === undefined && (await best()) < seenAt + 10; await pause(300)) {
  const events = await eventsBetween(api, settledAt, await best());
  voided = events.find(
    ({ name, data }) => name === "attribution.Voided" && Number(data.settlement.replaceAll(",", "")) === forged.settlement,
  );
}
if (voided === undefined) throw new Error(`nothing was voided: ${JSON.stringify(verdict)}`);
say(`Charlie's watcher finds ${verdict.lie} and proves it by ${verdict.call} in one transaction: ${open(voided.data.slashed.replaceAll(",", ""))} slashed, the payer refunded`);

// ---------------------------------------------------------------------------------------------------

chapter("Everybody is paid");
for (const { settlement } of settlements) {
  while ((await api.query.attribution.settlements(settlement)).isSome) await pause(500);
}
const earned = new Map();
const claims = [];
for (const person of [...contributors, people.builder]) {
  const { claimable, unclaimed } = await api.call.attributionApi.earnings(person.address);
  earned.set(person, claimable.toBigInt());
  if (unclaimed.length > 0) claims.push(sendAndInclude(api, api.tx.attribution.claim(unclaimed.length), person.pair));
}
await Promise.all(claims);
for (const [person, amount] of [...earned].sort(([, left], [, right]) => (left < right ? 1 : -1))) {
  if (amount > 0n) say(`${person.name.padEnd(28)} ${person.role.padEnd(24)} claims ${open(amount)}`);
}
const last = await best();
const after = { block: last, ...(await balancesAt(api, await api.rpc.chain.getBlockHash(last))) };
if (sum(before) !== before.issuance || sum(after) !== after.issuance || before.issuance !== after.issuance) {
  throw new Error(`money was made or lost: ${sum(before)} of ${before.issuance}, then ${sum(after)} of ${after.issuance}`);
}
say(`all ${after.owned.size} accounts together own ${open(sum(after))}, exactly as before`);

const events = await eventsBetween(api, 1, last);
mkdirSync(reportFolder, { recursive: true });
const page = writeReport(reportFolder, {
  answers,
  after,
  before,
  cheat,
  contributors,
  copies,
  earned,
  events,
  forged,
  genesis: api.genesisHash.toHex(),
  manifests,
  people,
  refused: refused.error,
  ruleset,
  seconds: seconds(),
  split,
  strict,
  voided: voided.data,
});
chapter("Done");
say(`report: ${page}`);
say(`polkadot.js: https://polkadot.js.org/apps/?rpc=${encodeURIComponent(node)}#/explorer`);
say(`ask more: curl ${proxyUrl}/completions -H 'content-type: application/json' -d '{"model": "${models.get("base")}", "prompt": "impl "}'`);
say(`your channel: curl ${proxyUrl}/openledger/status`);
if (options.values.stay) {
  say("everything goes on running; press Ctrl-C to end it");
  await new Promise((resolve) => process.once("SIGINT", resolve));
} else {
  say("everything is stopped now; ./scripts/demo.sh --stay leaves it running for these lines");
}
await api.disconnect();
await Promise.all([proxy.kill(), worker.kill(), forged.end(), ...nodes.map(({ stop }) => stop())]);
process.exit(0);
