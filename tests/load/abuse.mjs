// A node under abuse: on a chain of three validators, one of them gets tens of thousands of extrinsics that are worth
// nothing, requests that are too large, too deep or too many, sockets that stay idle and clients that never read. All
// the while the chain has to go on, and whoever sends an honest transaction, to the abused node or to another, has to
// find it in a block soon. scripts/abuse.sh starts it.

import { createHash, randomBytes } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { OPEN, account, connect, developmentAccounts, sendAndInclude, signOffline } from "../polkadot-js/client.mjs";
import { exportSpecification, peerAddress, startValidator } from "../polkadot-js/node.mjs";
import { scratchFolder } from "../polkadot-js/worker.mjs";
import { residentMegabytes } from "./chain.mjs";
import { openSocket, openTrickle } from "./socket.mjs";
import { distribution, median } from "./statistics.mjs";

const { values: options } = parseArgs({ options: { quick: { type: "boolean", default: false } } });

/** Limits that a node with a public RPC interface should have; all but the pool's are for that interface. */
const SAFE_FLAGS = {
  "--rpc-methods": "safe",
  "--rpc-max-connections": 200,
  "--rpc-rate-limit": 600,
  "--rpc-max-request-size": 5,
  "--rpc-max-response-size": 2,
  "--rpc-max-batch-request-len": 100,
  "--rpc-max-subscriptions-per-connection": 32,
  "--rpc-message-buffer-capacity-per-connection": 4,
  "--pool-limit": 8_192,
};

/** Extrinsics of the flood, and the part of each kind. */
const FLOOD = options.quick ? 5_000 : 50_000;
const PARTS = { "bad signature": 20, garbage: 8, undecodable: 8, stale: 16, future: 16, unfunded: 16, outbid: 8, duplicate: 8 };
/** Each valid one among them is sent, or rivalled, this many times. */
const COPIES = 8;
/** Connections that the flood comes by. */
const FLOOD_SOCKETS = 50;
const IDLE_SOCKETS = 500;
const TRICKLES = 100;
const DEAF_SOCKETS = 30;
const CALM_SECONDS = options.quick ? 15 : 40;
const HOLD_SECONDS = options.quick ? 15 : 60;

/** What has to hold all the while. */
const MOST_BLOCKS = 3;
const MOST_SLOTS_BETWEEN_BLOCKS = 3;
const MOST_BEHIND_FINALITY = 8;
/**
 * No flag bounds the answers that a connection has not read: the node keeps what all calls under way have answered, so
 * the rate limit times the largest answer is what one connection can cost. This is what the deaf ones here ask for.
 */
const MOST_MEGABYTES_MORE = 2_560;
/** An honest transaction that is in no block after this time never will be. */
const HONEST_PATIENCE_MILLISECONDS = 60_000;
const HONEST_PAUSE_MILLISECONDS = 2_000;
/** In a shorter phase none may have been sent. */
const HONEST_PHASE_SLOTS = MOST_BLOCKS + 2;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const say = (text) => console.log(`   ${text}`);
const started = Date.now();
const chapter = (title) => console.log(`\n==> ${title}  (${Math.round((Date.now() - started) / 1_000)} s)`);
const failures = [];
const check = (holds, what) => {
  if (holds) return;
  failures.push(what);
  say(`WRONG: ${what}`);
};

// ---------------------------------------------------------------------------------------------------
// The chain.

const folder = scratchFolder();
const specification = join(folder, "local.json");
exportSpecification("local", specification, "--raw");
const start = (name, ...more) => startValidator(specification, name, join(folder, name), ...more);
const flags = Object.entries(SAFE_FLAGS).flatMap(([flag, value]) => [flag, String(value)]);
chapter(`Three validators; the first has ${flags.join(" ")}`);
const abused = await start("alice", ...flags);
const bootnode = ["--bootnodes", await peerAddress(abused.url)];
const [other, third] = await Promise.all(["bob", "charlie"].map((name) => start(name, ...bootnode)));
const [api, otherApi] = await Promise.all([connect(abused.url), connect(other.url)]);
const slotMilliseconds = api.consts.babe.expectedBlockTime.toNumber();
const { alice, dave, eve, ferdie } = developmentAccounts();

// ---------------------------------------------------------------------------------------------------
// What is watched, from now to the end.

const phases = [];
let phase;
function enter(name) {
  const now = Date.now();
  if (phase !== undefined) phase.end = now;
  phase = { name, start: now, memory: [], lags: [], honest: { abused: [], other: [] } };
  phases.push(phase);
  chapter(name);
}

let over = false;
const heads = [];
await otherApi.rpc.chain.subscribeNewHeads((header) => heads.push(header.number.toNumber()));
let final = 0;
await otherApi.rpc.chain.subscribeFinalizedHeads((header) => {
  final = header.number.toNumber();
});
async function watch() {
  while (!over) {
    if (phase !== undefined) {
      phase.memory.push(residentMegabytes(abused.pid));
      if (heads.length > 0) phase.lags.push(heads[heads.length - 1] - final);
    }
    await pause(1_000);
  }
}

/** Sends a transfer every few seconds, and notes how many blocks later each is in a block. */
async function beHonest(client, signer, which) {
  while (!over) {
    if (phase === undefined) {
      await pause(100);
      continue;
    }
    const then = phase;
    const before = (await client.rpc.chain.getHeader()).number.toNumber();
    const sent = Date.now();
    const outcome = await Promise.race([
      sendAndInclude(client, client.tx.balances.transferKeepAlive(alice.address, OPEN), signer).then(
        async ({ blockHash }) => ({ blocks: (await client.rpc.chain.getHeader(blockHash)).number.toNumber() - before }),
        (error) => ({ problem: error.message }),
      ),
      pause(HONEST_PATIENCE_MILLISECONDS).then(() => ({ problem: "is in no block for a minute" })),
    ]);
    if (outcome.problem !== undefined) check(false, `${then.name}: an honest transaction to the ${which} node ${outcome.problem}`);
    else then.honest[which].push({ ...outcome, milliseconds: Date.now() - sent });
    await pause(HONEST_PAUSE_MILLISECONDS);
  }
}

// ---------------------------------------------------------------------------------------------------
// The flood.

/** A small generator of numbers, so that every run has the same order. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const seeded = (name) => account(`0x${createHash("sha256").update(`openledger abuse ${name}`).digest("hex")}`);
const sign = (text, signer, nonce) => signOffline(api, api.tx.system.remark(text), signer, nonce);
const amount = (kind) => Math.floor((FLOOD * PARTS[kind]) / 100);

/** Pays accounts of our own, as many in a batch as a block takes. */
async function fund(accounts) {
  for (let from = 0; from < accounts.length; from += 200) {
    const transfers = accounts.slice(from, from + 200).map(({ address }) => api.tx.balances.transferKeepAlive(address, OPEN));
    await sendAndInclude(api, api.tx.utility.batchAll(transfers), alice);
  }
}

/** Bytes behind their length, from 64 to 16,383, in compact SCALE encoding: what a pool takes for an extrinsic. */
function withLength(bytes) {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16LE((bytes.length << 2) | 1);
  return `0x${Buffer.concat([prefix, bytes]).toString("hex")}`;
}

/** All extrinsics of the flood, in an order that mixes their kinds: `{kind, extrinsic}`. */
async function makeFlood() {
  const made = [];
  const add = (kind, extrinsic) => made.push({ kind, extrinsic });
  const each = (kind, make) => {
    for (let number = 0; number < amount(kind); number += 1) add(kind, make(number));
  };
  // A valid one with another signature each time.
  const proper = Buffer.from(sign("signed", ferdie, 0).slice(2), "hex");
  // Behind length (2 bytes at this size), version, kind of address, address, kind of signature.
  const signatureAt = 2 + 1 + 1 + 32 + 1;
  each("bad signature", (number) => {
    const forged = Buffer.from(proper);
    forged.writeUInt32LE((forged.readUInt32LE(signatureAt) + 1 + number) >>> 0, signatureAt);
    return `0x${forged.toString("hex")}`;
  });
  each("garbage", () => `0x${randomBytes(150).toString("hex")}`);
  each("undecodable", () => withLength(Buffer.concat([Buffer.of(0x84), randomBytes(150)])));
  // Alice has paid accounts: her first nonce is used.
  each("stale", (number) => sign(`stale ${number}`, alice, 0));
  each("future", (number) => sign("future", ferdie, 10 + number));
  const poor = Array.from({ length: 100 }, (_, number) => seeded(`poor ${number}`));
  each("unfunded", (number) => sign("poor", poor[number % 100], Math.floor(number / 100)));
  for (const kind of ["outbid", "duplicate"]) {
    const payers = Array.from({ length: Math.floor(amount(kind) / COPIES) }, (_, number) => seeded(`${kind} ${number}`));
    await fund(payers);
    for (const payer of payers) {
      for (let copy = 0; copy < COPIES; copy += 1) {
        // Rivals want the same nonce and pay the same.
        const text = kind === "outbid" ? `outbid ${copy}` : "duplicate";
        add(kind, sign(text, payer, 0));
      }
    }
  }
  const below = random(1);
  for (let at = made.length - 1; at > 0; at -= 1) {
    const place = below(at + 1);
    [made[at], made[place]] = [made[place], made[at]];
  }
  return made;
}

const BANNED = "1012 Transaction is temporarily banned";
const OUTDATED = "1010 Invalid Transaction: Transaction is outdated";
const DROPPED = "1016 Immediately Dropped";
const RIVAL = "1014 Priority is too low";
// The runtime stops on what it cannot decode.
const VERIFICATION = "1002 Verification Error: Runtime error: Execution failed";
// A block that lost to another went away while the pool looked at its state.
const GONE = "1002 Verification Error: Runtime error: Api called for an unknown Block: State already discarded";
/** Of this many extrinsics one may be unlucky so. */
const LUCK = 1_000;
/** What the pool may answer to each kind, by name. */
const ANSWERS = {
  "bad signature": ["1010 Invalid Transaction: Transaction has a bad signature"],
  garbage: ["1040 Client error: Could not decode `OpaqueExtrinsic", VERIFICATION, BANNED],
  undecodable: [VERIFICATION],
  stale: [OUTDATED],
  future: ["accepted", DROPPED],
  unfunded: ["1010 Invalid Transaction: Inability to pay some fees"],
  outbid: ["accepted", RIVAL, OUTDATED, BANNED],
  duplicate: ["accepted", "1013 Transaction Already Imported", RIVAL, OUTDATED, BANNED],
};

/** The name of an answer: code, message and data of an error. */
function nameOf({ error }) {
  if (error === undefined) return "accepted";
  const data = typeof error.data === "string" ? `: ${error.data}` : "";
  return `${error.code} ${error.message}${data}`;
}

/** The error of a refusal, which has to be one of these codes. */
function checkCode(what, answer, ...codes) {
  check(codes.includes(answer.error?.code), `${what}: expected an error ${codes.join(" or ")}, got ${nameOf(answer)}`);
}

async function socketTo(url) {
  const { socket, status } = await openSocket(url);
  if (socket === undefined) throw new Error(`the node refused a socket with status ${status}`);
  return socket;
}

/** Sends all that is in `flood`, and returns how often each kind got each answer. */
async function send(flood) {
  const answers = new Map();
  const note = (kind, name) => {
    const known = [...ANSWERS[kind], GONE].find((expected) => name.startsWith(expected));
    const key = `${kind} → ${known ?? `UNEXPECTED ${name.slice(0, 160)}`}`;
    answers.set(key, (answers.get(key) ?? 0) + 1);
  };
  const sockets = await Promise.all(Array.from({ length: FLOOD_SOCKETS }, () => socketTo(abused.url)));
  let limited = 0;
  const work = async (socket) => {
    for (let next = flood.pop(); next !== undefined; next = flood.pop()) {
      const answer = await socket.call("author_submitExtrinsic", next.extrinsic);
      if (answer.error?.code === -32_999) {
        limited += 1;
        flood.push(next);
        await pause(1_000);
      } else note(next.kind, nameOf(answer));
    }
  };
  await Promise.all(sockets.map(work));
  for (const socket of sockets) socket.end();
  return { answers, limited };
}

// ---------------------------------------------------------------------------------------------------
// Requests that are too much.

/** Bytes of a body that are sent at a time. */
const PIECE = 1 << 16;
/** How long a node may take to refuse a body by its announced length, before it is sent. */
const REFUSAL_MILLISECONDS = 500;

/**
 * Posts a body, and returns status and text. Nothing more is sent once the node answers.
 *
 * @param {boolean} [announced] whether the node is told beforehand how long it is
 */
function post(url, body, announced = true) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: hostname, port: Number(port) });
    const parts = [];
    let failure;
    socket.on("data", (part) => parts.push(part));
    socket.on("error", (error) => {
      failure = error;
    });
    socket.once("close", () => {
      const text = Buffer.concat(parts).toString();
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return reject(failure ?? new Error("the node closed the connection without an answer"));
      resolve({ status: Number(text.slice(9, 12)), text: text.slice(end + 4) });
    });
    const length = announced ? `Content-Length: ${body.length}` : "Transfer-Encoding: chunked";
    socket.write(
      `POST / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
    );
    const push = (from) => {
      if (from >= body.length || parts.length > 0 || socket.destroyed) return;
      const piece = body.subarray(from, from + PIECE);
      if (!announced) socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write(announced ? "" : "\r\n", () => setImmediate(push, from + PIECE));
    };
    setTimeout(push, body.length > PIECE ? REFUSAL_MILLISECONDS : 0, 0);
  });
}

const calls = (count, method, ...params) =>
  JSON.stringify(Array.from({ length: count }, (_, id) => ({ jsonrpc: "2.0", id, method, params })));

async function sendTooMuch() {
  const large = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "author_submitExtrinsic", params: [`0x${"00".repeat(6 << 20)}`] }));
  for (let round = 0; round < 10; round += 1) {
    const statuses = await Promise.all(Array.from({ length: 5 }, () => post(abused.url, large).then(({ status }) => status)));
    check(statuses.every((status) => status === 413), `a body of ${large.length >> 20} MB: expected status 413, got ${statuses.join(", ")}`);
  }
  say(`50 bodies of ${large.length >> 20} MB by HTTP: 413 Content Too Large`);
  // Of these the node reads as much as it takes, and then closes the connection while the client still writes.
  const unannounced = await Promise.all(
    Array.from({ length: 20 }, () => post(abused.url, large, false).then(({ status }) => status, (error) => error.code)),
  );
  check(unannounced.every((outcome) => [413, 500, "EPIPE", "ECONNRESET"].includes(outcome)), `bodies without an announced length: ${unannounced.join(", ")}`);
  say(`20 of unknown length: cut off at ${SAFE_FLAGS["--rpc-max-request-size"]} MB (${[...new Set(unannounced)].join(", ")})`);
  for (let round = 0; round < 5; round += 1) {
    const socket = await socketTo(abused.url);
    checkCode("the same by web socket", await socket.exchange(large.toString()), -32_007);
    socket.end();
  }
  say("five by web socket: error -32007, Request is too big");

  const deep = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  for (const depth of [1_000, 100_000, 2_000_000]) {
    const asParameter = `{"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":${deep(depth)}}`;
    for (const body of [asParameter, deep(depth)]) {
      const { status, text } = await post(abused.url, Buffer.from(body));
      const answer = status === 200 ? JSON.parse(text) : { error: { code: status, message: text } };
      checkCode(`brackets ${depth} deep`, Array.isArray(answer) ? answer[0] : answer, -32_700, -32_600, -32_602);
    }
  }
  say("brackets up to two million deep: parse error, invalid request or invalid parameters");

  const socket = await socketTo(abused.url);
  checkCode("a batch of 10,000", await socket.exchange(calls(10_000, "system_chain")), -32_010);
  checkCode("a batch with a large answer", await socket.exchange(calls(100, "state_getMetadata")), -32_011);
  const subscribed = await Promise.all(Array.from({ length: 40 }, () => socket.call("chain_subscribeNewHeads")));
  const refused = subscribed.filter(({ error }) => error !== undefined);
  check(refused.length === 40 - SAFE_FLAGS["--rpc-max-subscriptions-per-connection"], `${refused.length} of 40 subscriptions were refused`);
  for (const answer of refused) checkCode("one subscription more", answer, -32_006);
  checkCode("a method that is not safe", await socket.call("author_rotateKeys"), -32_601);
  socket.end();
  say("a batch of 10,000: -32010; a batch with too large an answer: -32011; a subscription too many: -32006; an unsafe method: -32601");

  const hasty = await socketTo(abused.url);
  const answers = await Promise.all(Array.from({ length: 3_000 }, () => hasty.call("system_chain")));
  hasty.end();
  const limited = answers.filter(({ error }) => error?.code === -32_999).length;
  check(limited > 0, "3,000 calls at once by one connection: none was limited");
  check(answers.every(({ error }) => error === undefined || error.code === -32_999), "3,000 calls at once: another error than -32999");
  say(`3,000 calls at once by one connection: ${limited} refused with -32999, RPC rate limit exceeded`);
}

// ---------------------------------------------------------------------------------------------------

async function beSlow() {
  const trickles = Array.from({ length: TRICKLES }, () => openTrickle(abused.url));
  const deaf = await Promise.all(Array.from({ length: DEAF_SOCKETS }, () => socketTo(abused.url)));
  for (const socket of deaf) {
    socket.stopReading();
    socket.send("chain_subscribeAllHeads");
    for (let call = 0; call < 100; call += 1) socket.send("state_getMetadata");
  }
  await pause(1_000 * HOLD_SECONDS);
  say(`${TRICKLES} requests that never end, ${DEAF_SOCKETS} clients that asked for 100 times the metadata and read nothing`);
  for (const slow of [...trickles, ...deaf]) slow.end();
}

async function beIdle() {
  const opened = await Promise.all(Array.from({ length: IDLE_SOCKETS }, () => openSocket(abused.url)));
  const idle = opened.flatMap(({ socket }) => socket ?? []);
  const refused = opened.filter(({ status }) => status !== undefined);
  check(idle.length <= SAFE_FLAGS["--rpc-max-connections"], `${idle.length} sockets were let in`);
  check(refused.every(({ status }) => status === 429), `sockets were refused with ${[...new Set(refused.map(({ status }) => status))].join(", ")}`);
  await pause(1_000 * HOLD_SECONDS);
  const held = idle.filter((socket) => socket.isOpen).length;
  say(`of ${IDLE_SOCKETS} sockets ${idle.length} were let in, ${refused.length} refused with 429; ${held} are still open after ${HOLD_SECONDS} s`);
  for (const socket of idle) socket.end();
  await pause(2_000);
  const { socket, status } = await openSocket(abused.url);
  check(socket !== undefined, `once they are gone a newcomer is refused with ${status}`);
  socket?.end();
}

// ---------------------------------------------------------------------------------------------------

const flood = await makeFlood();
say(`${flood.length} extrinsics are ready: ${Object.keys(PARTS).map((kind) => `${flood.filter((one) => one.kind === kind).length} ${kind}`).join(", ")}`);

enter("Calm");
const background = Promise.all([watch(), beHonest(api, dave, "abused"), beHonest(otherApi, eve, "other")]);
await pause(1_000 * CALM_SECONDS);

enter("Flood of worthless extrinsics");
const floodStarted = Date.now();
const count = flood.length;
const { answers, limited } = await send(flood);
const floodSeconds = (Date.now() - floodStarted) / 1_000;
say(`${count} by ${FLOOD_SOCKETS} connections in ${floodSeconds.toFixed(0)} s, ${(count / floodSeconds).toFixed(0)} a second; ${limited} calls came too fast`);
for (const [key, times] of [...answers].sort()) {
  say(`${String(times).padStart(6)}  ${key}`);
  check(!key.includes("UNEXPECTED"), `an answer that is no proper one: ${key}`);
}
const gone = [...answers].filter(([key]) => key.endsWith(GONE)).reduce((sum, [, times]) => sum + times, 0);
check(gone <= count / LUCK, `${gone} extrinsics were looked at in a block whose state had gone`);

enter("Requests that are too large, too deep, too many");
await sendTooMuch();

enter("Slow clients");
await beSlow();

enter("Idle sockets");
await beIdle();

enter("After");
await pause(1_000 * CALM_SECONDS);
over = true;
phase.end = Date.now();
await background;

// ---------------------------------------------------------------------------------------------------

chapter("What came of it");
const last = heads[heads.length - 1];
const times = [];
for (let number = last; number > 0; number -= 1) {
  const state = await otherApi.at(await otherApi.rpc.chain.getBlockHash(number));
  times.unshift((await state.query.timestamp.now()).toNumber());
  if (times[0] < phases[0].start) break;
}
const calmMemory = median(phases[0].memory);
console.log(
  `${"".padEnd(50)}${"s".padStart(5)}${"blocks".padStart(8)}${"widest gap".padStart(12)}${"behind final".padStart(14)}${"most memory".padStart(13)}   honest: blocks until included`,
);
for (const { name, start, end, memory, lags, honest } of phases) {
  const own = times.filter((time) => time >= start && time < end);
  const gaps = times.flatMap((time, at) => (at > 0 && time >= start && time < end ? [time - times[at - 1]] : []));
  const gap = Math.max(0, ...gaps) / slotMilliseconds;
  const lag = Math.max(0, ...lags);
  const most = Math.max(...memory);
  const blocks = Object.fromEntries(Object.entries(honest).map(([which, list]) => [which, list.map((one) => one.blocks)]));
  console.log(
    name.padEnd(50) +
      ((end - start) / 1_000).toFixed(0).padStart(5) +
      String(own.length).padStart(8) +
      `${gap.toFixed(1)} slots`.padStart(12) +
      `${lag} blocks`.padStart(14) +
      `${most.toFixed(0)} MB`.padStart(13) +
      `   abused ${distribution(blocks.abused)}; other ${distribution(blocks.other)}`,
  );
  check(gap <= MOST_SLOTS_BETWEEN_BLOCKS, `${name}: ${gap.toFixed(1)} slots between two blocks`);
  check(lag <= MOST_BEHIND_FINALITY, `${name}: finality was ${lag} blocks behind`);
  check(most <= calmMemory + MOST_MEGABYTES_MORE, `${name}: the node took ${most.toFixed(0)} MB, ${calmMemory.toFixed(0)} MB when calm`);
  for (const [which, list] of Object.entries(blocks)) {
    check(list.length > 0 || end - start < HONEST_PHASE_SLOTS * slotMilliseconds, `${name}: no honest transaction to the ${which} node was included`);
    check(list.every((number) => number <= MOST_BLOCKS), `${name}: an honest transaction to the ${which} node took ${Math.max(...list)} blocks`);
  }
}
const after = phases[phases.length - 1].memory;
say(`memory of the abused node: ${calmMemory.toFixed(0)} MB before, ${Math.max(...phases.flatMap(({ memory }) => memory)).toFixed(0)} MB at most, ${after[after.length - 1].toFixed(0)} MB at the end`);
await Promise.all([api.disconnect(), otherApi.disconnect()]);
await Promise.all([abused, other, third].map(({ stop }) => stop()));
if (failures.length > 0) {
  console.error(`\nerror: ${failures.length} things were wrong:\n${failures.map((what) => `  ${what}`).join("\n")}`);
  process.exit(1);
}
console.log("\nthe chain went on, and honest transactions came through");
process.exit(0);
