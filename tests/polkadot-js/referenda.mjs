// What people do to decide something together: propose, pay for the decision, vote or delegate, and see
// what comes of it.

import { compactAddLength, hexToString, stringToU8a, u8aConcat } from "@polkadot/util";
import { blake2AsHex } from "@polkadot/util-crypto";

import { decodeError, eventData, eventName, finalBlocks, sendAndFinalise } from "./client.mjs";

/** Blocks that proposing and paying for the decision may take beside what the track takes. */
const PATIENCE_BLOCKS = 20;

/** What may become of a referendum other than that its call runs. */
const LOST = ["referenda.Rejected", "referenda.TimedOut", "referenda.Cancelled", "referenda.Killed"];
/** A scheduled call has run. */
const DISPATCHED = "scheduler.Dispatched";
/** What may become of it instead. */
const NEVER_RUN = ["scheduler.CallUnavailable", "scheduler.PermanentlyOverweight"];

/** The tracks of the chain by name, each with its number, its deposit and its periods. */
export function tracks(api) {
  const named = api.consts.referenda.tracks.map(([id, info]) => {
    const name = hexToString(info.name.toHex()).replace(/\0+$/, "");
    const blocks = ["preparePeriod", "decisionPeriod", "confirmPeriod", "minEnactmentPeriod"];
    return [
      name,
      {
        id: id.toNumber(),
        decisionDeposit: info.decisionDeposit.toBigInt(),
        /** The longest that a decision takes, in blocks. */
        longest: blocks.reduce((sum, period) => sum + info[period].toNumber(), 0),
      },
    ];
  });
  return Object.fromEntries(named);
}

/**
 * Notes the preimage of `call` and proposes to run it as `origin`. Waits until the proposal is final: before that
 * it may still get another number.
 *
 * @param {object} origin as referenda name it, `{ system: "Root" }` or `{ Origins: "PoaAdmin" }`
 * @returns {Promise<{referendum: number, preimage: string, block: number}>} its number, the hash of the call, and the
 *   height of its block
 */
export async function propose(api, proposer, origin, call) {
  const { hash, encodedLength } = call.method;
  const proposal = { Lookup: { hash: hash.toHex(), len: encodedLength } };
  const calls = [
    api.tx.preimage.notePreimage(call.method.toHex()),
    // As soon as the track allows.
    api.tx.referenda.submit(origin, proposal, { After: 0 }),
  ];
  const sent = await sendAndFinalise(api, api.tx.utility.batchAll(calls), proposer);
  eventData(sent, "preimage.Noted");
  const [referendum] = eventData(sent, "referenda.Submitted");
  const header = await api.rpc.chain.getHeader(sent.blockHash);
  return { referendum: referendum.toNumber(), preimage: hash.toHex(), block: header.number.toNumber() };
}

/**
 * A vote, to be given to `convictionVoting.vote`.
 *
 * @param {bigint} balance how much of its own a voter puts behind it
 * @param {object} [options]
 * @param {boolean} [options.aye] for it, or against
 * @param {string} [options.conviction] how long the balance stays locked, and so how much it counts
 */
export function standardVote(balance, { aye = true, conviction = "Locked1x" } = {}) {
  return { Standard: { vote: { aye, conviction }, balance } };
}

/** The name under which the scheduler keeps what a referendum decided. */
function enactment(referendum) {
  const number = new Uint8Array(Uint32Array.of(referendum).buffer);
  return blake2AsHex(u8aConcat(stringToU8a("assembly"), compactAddLength(stringToU8a("enactment")), number), 256);
}

/**
 * Waits until the calls of referenda have run.
 *
 * @param {number[]} referenda their numbers
 * @param {number} from the height of a block before anything was decided
 * @returns {Promise<Map<number, {block: number, hash: object, tally: object, error: string | null, explanation?: string}>>}
 *   for each: the block in which its call ran, the votes, and what `decodeError` says of the call's failure
 * @throws {Error} if one is not approved, or its call does not run
 */
export async function outcomes(api, referenda, from) {
  const names = new Map(referenda.map((referendum) => [enactment(referendum), referendum]));
  const waiting = new Set(referenda);
  const tallies = new Map();
  const found = new Map();
  const last = from + Math.max(...Object.values(tracks(api)).map(({ longest }) => longest)) + PATIENCE_BLOCKS;
  for await (const { number, hash, events } of finalBlocks(api, from)) {
    for (const record of events) {
      const name = eventName(record);
      const { data } = record.event;
      if (name === "referenda.Confirmed") tallies.set(data.index.toNumber(), data.tally);
      if (LOST.includes(name) && waiting.has(data.index.toNumber())) {
        throw new Error(`referendum ${data.index}: ${name} in block ${number} with ${data.tally ?? "no votes"}`);
      }
      if (name !== DISPATCHED && !NEVER_RUN.includes(name)) continue;
      // Referenda use the scheduler for their own wake-up calls too; those have no name.
      const referendum = data.id.isSome ? names.get(data.id.unwrap().toHex()) : undefined;
      if (referendum === undefined) continue;
      if (name !== DISPATCHED) throw new Error(`the call of referendum ${referendum}: ${name} in block ${number}`);
      const failure = data.result.isErr ? decodeError(api, data.result.asErr) : { error: null };
      found.set(referendum, { block: number, hash, tally: tallies.get(referendum), ...failure });
      waiting.delete(referendum);
    }
    if (waiting.size === 0) return found;
    if (number >= last) throw new Error(`nothing came of referenda ${[...waiting].join(", ")} until block ${number}`);
  }
}
