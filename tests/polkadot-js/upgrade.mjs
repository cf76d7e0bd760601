// An upgrade of the runtime as holders and operators carry it out, on a local net of three validators: a referendum
// on the root track authorises it, anybody applies it, and the net goes on. Wrong upgrades fail by name.
//
// scripts/upgrade-drill.sh builds what this needs and starts it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { blake2AsHex } from "@polkadot/util-crypto";

import {
  OPEN,
  account,
  connect,
  decodeError,
  developmentAccounts,
  eventData,
  finalBlocks,
  finalised,
  sendAndFinalise,
  sendAndInclude,
} from "./client.mjs";
import { startValidators } from "./node.mjs";
import { outcomes, propose, standardVote, tracks } from "./referenda.mjs";
import { scratchFolder } from "./worker.mjs";

/** Final blocks that the upgraded net has to make. */
const BLOCKS_AFTER = 10;
/** How long a client may take to hear of the new runtime. */
const PATIENCE_MILLISECONDS = 60_000;
const VOTE = 45_000_000n * OPEN;

const { values: options } = parseArgs({ options: { runtime: { type: "string" } } });
if (options.runtime === undefined) throw new Error("no --runtime FILE: the Wasm of a newer runtime, as scripts/build-runtime.sh writes it");
const wasm = readFileSync(options.runtime);
const code = `0x${wasm.toString("hex")}`;
const codeHash = blake2AsHex(wasm, 256);

const started = Date.now();
const say = (text) => console.log(`==> ${text} (${Math.round((Date.now() - started) / 1_000)} s)`);

const nodes = await startValidators(scratchFolder());
let apis = await Promise.all(nodes.map(({ url }) => connect(url)));
let [api] = apis;
const { alice, bob, charlie, dave, eve, ferdie } = developmentAccounts();
const versions = () => Promise.all(apis.map(async ({ rpc }) => (await rpc.state.getRuntimeVersion()).specVersion.toNumber()));
const [before] = await versions();
say(`three validators run version ${before} of the runtime; the new one, ${wasm.length} bytes, has the hash ${codeHash}`);

const apply = (bytes) => sendAndFinalise(api, api.tx.system.applyAuthorizedUpgrade(bytes), dave);

/** Votes with enough that support is beyond question, and waits until root has authorised `hash`. */
async function authorise(hash, proposer) {
  const call = api.tx.system.authorizeUpgrade(hash);
  const { referendum, preimage, block } = await propose(api, proposer, { system: "Root" }, call);
  const vote = api.tx.convictionVoting.vote(referendum, standardVote(VOTE));
  const deposit = api.tx.referenda.placeDecisionDeposit(referendum);
  const voters = [alice, bob, charlie, eve, ...["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"].map((name) => account(`//${name}//stash`))];
  await Promise.all([
    sendAndInclude(api, deposit, ferdie),
    ...voters.map((voter) => sendAndInclude(api, vote, voter)),
  ]);
  const outcome = (await outcomes(api, [referendum], block)).get(referendum);
  assert.equal(outcome.error, null, `authorising ${hash} fails with ${outcome.error}: ${outcome.explanation}`);
  const { events } = (await api.at(outcome.hash)).query.system;
  const authorised = eventData({ events: await events() }, "system.UpgradeAuthorized");
  assert.equal(authorised.codeHash.toHex(), hash);
  assert.ok(authorised.checkVersion.isTrue, "the version has to rise");
  // The deposit for the preimage comes back, and the same call can be proposed again.
  await sendAndInclude(api, api.tx.preimage.unnotePreimage(preimage), proposer);
  return { referendum, blocks: outcome.block - block };
}

/** The new runtime's version has reached this client, and with it its metadata. */
async function heardBy(client, version) {
  for (const end = Date.now() + PATIENCE_MILLISECONDS; client.runtimeVersion.specVersion.toNumber() !== version; ) {
    if (Date.now() > end) throw new Error(`polkadot.js still takes the runtime for version ${client.runtimeVersion.specVersion}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

// ---------------------------------------------------------------------------------------------------

// Nobody applies what nobody has decided.
await assert.rejects(apply(code), { name: "DispatchFailure", error: "system.NothingAuthorized" });

// What is signed before the upgrade names the old version, and may be on its way while it happens.
const authorised = await authorise(codeHash, alice);
say(`referendum ${authorised.referendum} on track root, decided and enacted in ${authorised.blocks} blocks, authorises it`);
const transfer = (client) => client.tx.balances.transferKeepAlive(dave.address, OPEN);
const signedBefore = await transfer(api).signAsync(ferdie, { era: 0 });

await assert.rejects(apply("0x00"), { name: "DispatchFailure", error: "system.Unauthorized" });
const sentAt = (await api.rpc.chain.getHeader()).number.toNumber();
const applying = await api.tx.system.applyAuthorizedUpgrade(code).signAsync(dave);
await api.rpc.author.submitExtrinsic(applying);
const changedAt = await codeUpdated(sentAt);
const after = wasmVersion(await versions());
say(`Dave applies it in block ${changedAt}, for no fee: all nodes run version ${after}`);

/**
 * Waits for the block in which the code changes and returns its height. Its events are still the old runtime's, which
 * is why they are read as of that block, not with whatever metadata the client has by then.
 */
async function codeUpdated(from) {
  for await (const { number, events } of finalBlocks(api, from)) {
    const updated = events.find(({ event }) => api.events.system.CodeUpdated.is(event));
    if (updated !== undefined) {
      const own = events.filter(({ phase }) => phase.eq(updated.phase));
      eventData({ events: own }, "system.ExtrinsicSuccess");
      const [payer, fee] = eventData({ events: own }, "transactionPayment.TransactionFeePaid");
      assert.equal(payer.toString(), dave.address);
      assert.equal(fee.toBigInt(), 0n, "who applies an authorised upgrade does so for all");
      return number;
    }
    if (number > from + BLOCKS_AFTER) throw new Error(`no block up to ${number} changes the code`);
  }
}

/** The version that all nodes run. */
function wasmVersion(found) {
  const [version] = found;
  assert.ok(version > before, `the version rises from ${before}, found ${found}`);
  assert.deepEqual(found, found.map(() => version));
  return version;
}

// ---------------------------------------------------------------------------------------------------

await Promise.all(apis.map((client) => heardBy(client, after)));
for (const client of apis) assert.equal(client.consts.system.version.specVersion.toNumber(), after);
await assert.rejects(api.rpc.author.submitExtrinsic(signedBefore), /1010: Invalid Transaction: Transaction has a bad signature/);
say("a transfer that was signed for the old version is refused: 1010, Transaction has a bad signature");
const paid = await sendAndFinalise(api, transfer(api), ferdie);
const [, receiver, amount] = eventData(paid, "balances.Transfer");
assert.deepEqual([receiver.toString(), amount.toBigInt()], [dave.address, OPEN]);
eventData(paid, "system.ExtrinsicSuccess");
say("one that is signed for the new version is final");
// A client that has followed an upgrade may still read an event with a type that it has kept from before: whoever
// wants every event connects anew.
await Promise.all(apis.map((client) => client.disconnect()));
apis = await Promise.all(nodes.map(({ url }) => connect(url)));
[api] = apis;

// The same again is no upgrade, whatever the vote says.
const again = await authorise(codeHash, bob);
const refused = await apply(code);
const { error } = eventData(refused, "system.RejectedInvalidAuthorizedUpgrade");
assert.equal(decodeError(api, error).error, "system.SpecVersionNeedsToIncrease");
assert.ok((await api.query.system.authorizedUpgrade()).isNone, "it cannot be tried again");
assert.equal(wasmVersion(await versions()), after);
say(`the same version once more, decided by referendum ${again.referendum}, is refused: system.SpecVersionNeedsToIncrease`);

// Blocks and finality have gone on meanwhile, one chain on all nodes, and every event of it has a name.
const last = changedAt + BLOCKS_AFTER;
await Promise.all(apis.map((client) => finalised(client, last)));
const hashes = await Promise.all(apis.map(async ({ rpc }) => (await rpc.chain.getBlockHash(last)).toHex()));
assert.deepEqual(hashes, hashes.map(() => hashes[0]));
for await (const { number, state, events } of finalBlocks(api, changedAt - BLOCKS_AFTER)) {
  const stored = await api.rpc.state.getStorage(state.query.system.events.key(), await api.rpc.chain.getBlockHash(number));
  assert.equal(events.toHex(), stored.unwrap().toHex(), `every byte of block ${number}'s events is read`);
  if (number >= last) break;
}
const final = await Promise.all(apis.map(async ({ rpc }) => (await rpc.chain.getHeader(await rpc.chain.getFinalizedHead())).number.toNumber()));
say(`all nodes agree on block ${last}, ${hashes[0]}, and have finalised blocks ${final.join(", ")}`);

await Promise.all(apis.map((client) => client.disconnect()));
await Promise.all(nodes.map(({ stop }) => stop()));
say("the upgrade went through");
process.exit(0);
