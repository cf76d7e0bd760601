// What docs/operations.md tells a new validator, carried out on a local net of three: keys, bond, election,
// blocks and votes, monitoring, backup and restore.
//
// scripts/guides.sh finds the programs that this needs and starts it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { u8aToHex } from "@polkadot/util";

import { OPEN, account, connect, developmentAccounts, freePort, sendAndInclude } from "./client.mjs";
import { FIGURE_NAME, askedFor, dashboardExpressions, eventually, missing, startPrometheus } from "./monitoring.mjs";
import { LOCAL_PEERS, ask, nodeBinary, peerAddress, spawnNode, startValidators } from "./node.mjs";
import { scratchFolder, startProcess, startWorker } from "./worker.mjs";

const SNAPSHOT = fileURLToPath(new URL("../../scripts/snapshot.sh", import.meta.url));
const MINUTE = 60_000;
/** More than a genesis validator's, so that one of the three makes room. */
const BOND = 20_000_000n * OPEN;
/** For fees, and for the deposit that session keys take. */
const POCKET_MONEY = 100n * OPEN;

const PROGRAMS = ["prometheus", "node-exporter"];
/** What a worker publishes only while it has jobs; compute-worker/src/metrics.rs tests it. */
const NEEDS_A_JOB = ["openledger_worker_jobs"];

const { values: programs } = parseArgs({
  options: Object.fromEntries(PROGRAMS.map((name) => [name, { type: "string" }])),
});
for (const name of PROGRAMS) {
  if (programs[name] === undefined) throw new Error(`no --${name} FILE; scripts/guides.sh finds it`);
}

const started = Date.now();
const say = (text) => console.log(`    ${String(Math.round((Date.now() - started) / 1_000)).padStart(4)} s  ${text}`);
const folder = scratchFolder();

function run(program, ...words) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  assert.equal(status, 0, `${program} ${words.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}
const number = async (url, hash) => Number((await ask(url, "chain_getHeader", hash)).number);
const finalNumber = async (url) => number(url, await ask(url, "chain_getFinalizedHead"));
const figures = async (address) => (await fetch(`http://${address}/metrics`)).text();
/** The value of the figure whose line begins like this. */
const figure = async (address, beginning) => {
  const line = (await figures(address)).split("\n").find((one) => one.startsWith(beginning));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
};
/** The names of what an expression asks for. */
const namesIn = (expression) => expression.match(FIGURE_NAME) ?? [];

say("a net of three validators");
const nodes = await startValidators(folder);
const [first] = nodes;
const specification = join(folder, "local.json");
const api = await connect(first.url);

say("keys: an account, a network key");
const { secretPhrase, publicKey } = JSON.parse(
  run(nodeBinary(), "key", "generate", "--scheme", "sr25519", "--output-type", "json"),
);
const stash = account(secretPhrase);
assert.equal(u8aToHex(stash.publicKey), publicKey);
const base = join(folder, "newcomer");
// Closed before there is a key in it: the key's file itself can be read by everybody.
mkdirSync(base, { mode: 0o700 });
run(nodeBinary(), "key", "generate-node-key", "--chain", specification, "--base-path", base);
const networkKey = join("chains", "openledger_local", "network", "secret_ed25519");
assert.ok(existsSync(join(base, networkKey)));
assert.equal(statSync(base).mode & 0o077, 0, "only its owner sees the keys");

const peer = await peerAddress(first.url);
/** Starts the newcomer's node; always at the address that the monitoring knows. */
const figuresAddress = `127.0.0.1:${await freePort()}`;
const start = (basePath) =>
  spawnNode([
    ...["--chain", specification, "--base-path", basePath, "--validator", "--name", "newcomer", "--bootnodes", peer],
    ...["--port", "0", "--rpc-port", "0", "--prometheus-port", figuresAddress.split(":")[1]],
    ...["--no-telemetry", ...LOCAL_PEERS],
  ]);
let newcomer = await start(base);

say("session keys, with the proof that they are the account's");
const { keys, proof } = await ask(newcomer.url, "author_rotateKeysWithOwner", publicKey);
const funds = api.tx.balances.transferKeepAlive(stash.address, BOND + POCKET_MONEY);
await sendAndInclude(api, funds, developmentAccounts().dave);
await sendAndInclude(api, api.tx.staking.bond(BOND, "Staked"), stash);
await sendAndInclude(api, api.tx.session.setKeys(keys, proof), stash);
assert.equal(await ask(newcomer.url, "author_hasSessionKeys", keys), true);
await sendAndInclude(api, api.tx.staking.validate({ commission: 50_000_000 }), stash);
const joined = (await api.query.staking.activeEra()).unwrap().index.toNumber();

say("waiting for the election");
await eventually(
  "the newcomer is elected",
  async () => (await api.query.session.validators()).some((one) => one.eq(stash.address)),
  6 * MINUTE,
);
const era = (await api.query.staking.activeEra()).unwrap().index.toNumber();
say(`elected in era ${era}, after it asked in era ${joined}`);
/** Whether blocks of the newcomer earned points since it had so many. */
const points = async () => {
  const current = (await api.query.staking.activeEra()).unwrap().index;
  const { individual } = await api.query.staking.erasRewardPoints(current);
  const own = [...individual.entries()].find(([who]) => who.eq(stash.address));
  return own === undefined ? 0 : own[1].toNumber();
};
await eventually("a block of the newcomer", points, 2 * MINUTE);
await eventually("its votes", () => figure(figuresAddress, "substrate_finality_grandpa_prevotes_total"), MINUTE);
const finalBefore = await finalNumber(first.url);
await eventually("finality with its votes", async () => (await finalNumber(first.url)) > finalBefore + 5, MINUTE);
say("it makes blocks and votes");

say("monitoring: the node, the machine and a worker, scraped as ops/prometheus says");
const exporterAddress = `127.0.0.1:${await freePort()}`;
const exporter = startProcess(programs["node-exporter"], ["--web.listen-address", exporterAddress]);
await exporter.seen(/Listening on/i);
const workerAddress = `127.0.0.1:${await freePort()}`;
const serving = `127.0.0.1:${await freePort()}`;
const worker = startWorker(
  ...["--node", first.url, "--key", "//Eve", "--folder", join(folder, "worker")],
  ...["run", "--endpoint", "http://127.0.0.1:8080", "--listen", serving, "--metrics", workerAddress],
);
await worker.seen(/listening/);
// A request that fails, so that requests are counted.
const headers = { "content-type": "application/json" };
const request = { method: "POST", headers, body: JSON.stringify({ model: "none", messages: [] }) };
assert.ok(!(await fetch(`http://${serving}/v1/chat/completions`, request)).ok);
const targets = { "openledger-node": figuresAddress, "openledger-worker": workerAddress, machine: exporterAddress };
const allFigures = () => Promise.all(Object.values(targets).map(figures));
const names = askedFor().filter((name) => !NEEDS_A_JOB.includes(name));
let absent;
await eventually("every figure that alerts and dashboard name", async () => {
  absent = missing(names, await allFigures());
  return absent.length === 0;
}).catch(() => assert.deepEqual(absent, [], "alerts or dashboard name figures that nobody publishes"));
say(`all ${names.length} figures that alerts and dashboard name are published`);

const asked = Object.fromEntries(Object.entries(targets).map(([job, address]) => [job, [address]]));
const prometheus = await startPrometheus(programs.prometheus, folder, asked);
await eventually("Prometheus reaches all", async () => (await prometheus.query("sum(up) == 3")).length > 0);
// Two samples of each figure, so that what it grew by is known.
const grown = async () => (await prometheus.query("deriv(substrate_block_height[5m])")).length > 0;
await eventually("growth is known", grown);
// What nothing has happened of yet, such as requests by status, has a kind and no value.
const lines = (await allFigures()).flatMap((text) => text.split("\n"));
const hasValue = (name) => lines.some((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
const silent = [];
for (const expression of dashboardExpressions().filter((one) => namesIn(one).every(hasValue))) {
  const answers = async () => (await prometheus.query(expression)).length > 0;
  await eventually(expression, answers, MINUTE / 2).catch((error) => silent.push(error.message));
}
assert.deepEqual(silent, [], "panels that show nothing");
const rules = await eventually("every rule was evaluated", async () => {
  const all = await prometheus.rules();
  return all.every(({ health }) => health !== "unknown") && all;
});
const broken = rules.filter(({ health }) => health !== "ok");
assert.deepEqual(broken.map(({ name, lastError }) => `${name}: ${lastError}`), []);
say(`Prometheus evaluates all ${rules.length} rules and answers all panels`);

say("backup: the node is stopped, and its database packed");
await newcomer.stop();
const alert = async () => (await prometheus.rules()).find(({ name }) => name === "NodeDown").state;
await eventually("NodeDown is pending", async () => (await alert()) !== "inactive");
await prometheus.end();
await worker.kill();
await exporter.kill();
const snapshot = join(folder, "newcomer.tar.zst");
const snapshots = (command, ...words) =>
  run(SNAPSHOT, command, "--chain", specification, "--node", nodeBinary(), "--json", ...words);
const packed = JSON.parse(snapshots("create", "--base-path", base, "--output", snapshot));
say(`block ${packed.best_number}, ${Math.round(packed.bytes / 1024)} KiB`);

say("restore on another machine: database from the snapshot, keys moved there, so that they are in one place");
const restored = join(folder, "restored");
mkdirSync(restored, { mode: 0o700 });
snapshots("restore", "--base-path", restored, "--input", snapshot);
for (const keysFolder of ["keystore", "network"]) {
  const from = join(base, "chains", "openledger_local", keysFolder);
  cpSync(from, join(restored, "chains", "openledger_local", keysFolder), { recursive: true, preserveTimestamps: true });
  renameSync(from, `${from}.moved`);
}
assert.ok(existsSync(join(restored, networkKey)));
newcomer = await start(restored);
assert.equal(await ask(newcomer.url, "author_hasSessionKeys", keys), true);
assert.equal(await ask(newcomer.url, "chain_getBlockHash", packed.best_number), packed.best_hash);
const height = await number(first.url);
await eventually("it catches up", async () => (await number(newcomer.url)) >= height, MINUTE);
await eventually("it votes again", () => figure(figuresAddress, "substrate_finality_grandpa_prevotes_total"), MINUTE);
const made = () => figure(figuresAddress, "substrate_proposer_block_constructed_count");
await eventually("it makes blocks again", made, 2 * MINUTE);
const finalAfter = await finalNumber(first.url);
await eventually("finality goes on", async () => (await finalNumber(first.url)) > finalAfter + 5, 2 * MINUTE);
assert.ok(!newcomer.log.some((line) => /equivocat/i.test(line)), "an equivocation");
say("it makes blocks and votes again, and finality goes on");

say("a light client's specification, from the net");
const spec = await ask(newcomer.url, "sync_state_genSyncSpec", true);
assert.ok(spec.lightSyncState?.finalizedBlockHeader, "it names a final block to start from");
assert.equal(spec.id, JSON.parse(readFileSync(specification, "utf8")).id);

await api.disconnect();
await Promise.all([...nodes, newcomer].map((node) => node.stop()));
say("done");
