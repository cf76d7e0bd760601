// What tests do with a chain: connect, sign, send, wait, and read events and errors by name. Only the
// metadata of the chain says what its types are.

import { createServer } from "node:net";

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";

/** Address prefix of OpenLedger. */
export const SS58_PREFIX = 1612;
const GENERIC_PREFIX = 42;
/** Smallest units in one OPEN. */
export const OPEN = 10n ** 18n;

const keyring = new Keyring({ type: "sr25519", ss58Format: SS58_PREFIX });

/** The sr25519 account of a secret URI, such as `//Alice` or `//Alice//stash`. */
export function account(uri) {
  return keyring.addFromUri(uri);
}

/** An address with the prefix that no chain owns: specifications of chains have no other. */
export function genericAddress(address) {
  return keyring.encodeAddress(keyring.decodeAddress(address), GENERIC_PREFIX);
}

/** The accounts that a development chain endows. Ready once `connect` has returned. */
export function developmentAccounts() {
  const names = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];
  return Object.fromEntries(names.map((name) => [name.toLowerCase(), account(`//${name}`)]));
}

/** Signs `call` without asking the node, so that it never expires; returns the extrinsic in hexadecimal. */
export function signOffline(api, call, signer, nonce) {
  const { genesisHash, runtimeVersion } = api;
  return call.sign(signer, { nonce, genesisHash, blockHash: genesisHash, runtimeVersion }).toHex();
}

/** Connects to the node at `url`, or fails: there is no second try. */
export async function connect(url) {
  const provider = new WsProvider(url, false);
  await provider.connect();
  // Its warning lists the methods of the newer JSON-RPC interface, which polkadot.js does not use.
  return ApiPromise.create({ provider, throwOnConnect: true, noInitWarn: true });
}

/** An extrinsic that was included in a block and failed there. */
export class DispatchFailure extends Error {
  /**
   * @param {string} call the call, `pallet.call`
   * @param {{error: string, explanation: string}} decoded what `decodeError` returned
   */
  constructor(call, { error, explanation }) {
    super(`${call} failed with ${error}: ${explanation}`);
    this.name = "DispatchFailure";
    /** The error by name, `pallet.Error`. */
    this.error = error;
    /** The error's documentation. */
    this.explanation = explanation;
  }
}

/**
 * Names a dispatch error.
 *
 * @returns {{error: string, explanation: string}} `pallet.Error` with its documentation for an error
 *   of a pallet, `token.FundsUnavailable` and the like for one of the runtime's own
 */
export function decodeError(api, dispatchError) {
  if (dispatchError.isModule) {
    const { section, name, docs } = api.registry.findMetaError(dispatchError.asModule);
    return { error: `${section}.${name}`, explanation: docs.join(" ").trim() };
  }
  const inner = dispatchError.inner;
  const kind = dispatchError.type[0].toLowerCase() + dispatchError.type.slice(1);
  return { error: inner?.type ? `${kind}.${inner.type}` : kind, explanation: "an error of the runtime itself" };
}

/** An event's name, `pallet.Event`. */
export function eventName({ event }) {
  return `${event.section}.${event.method}`;
}

/** Signs `call`, sends it and waits until `reached(status)` names the hash of the block it is in. */
async function send(api, call, signer, options, reached) {
  const name = `${call.method.section}.${call.method.method}`;
  const { status, events, dispatchError } = await new Promise((resolve, reject) => {
    const subscription = call.signAndSend(signer, options, (result) => {
      if (!result.isError && !reached(result.status)) return;
      // The subscription is there: this runs no earlier than its first message.
      subscription.then((unsubscribe) => unsubscribe()).catch(reject);
      if (result.isError) reject(new Error(`${name} left the pool: ${result.status.type}`));
      else resolve(result);
    });
    subscription.catch(reject);
  });
  if (dispatchError) throw new DispatchFailure(name, decodeError(api, dispatchError));
  return { blockHash: reached(status), events };
}

/**
 * Signs `call`, sends it and waits until its block is final.
 *
 * @param {object} [options] polkadot.js signer options, such as `nonce` or `tip`
 * @returns {Promise<{blockHash: import("@polkadot/types/interfaces").Hash, events: object[]}>} the
 *   block and the extrinsic's events in order
 * @throws {DispatchFailure} if the extrinsic was included and failed
 * @throws {Error} if the pool refused or dropped it
 */
export function sendAndFinalise(api, call, signer, options = {}) {
  return send(api, call, signer, options, (status) => status.isFinalized && status.asFinalized);
}

/**
 * The same as `sendAndFinalise`, but waits only until the extrinsic is in a block: for preparations, and
 * where a window on the chain leaves no time for finality.
 */
export function sendAndInclude(api, call, signer, options = {}) {
  return send(
    api,
    call,
    signer,
    options,
    (status) => (status.isInBlock && status.asInBlock) || (status.isFinalized && status.asFinalized),
  );
}

/** The data of the one event of this name (`pallet.Event`) in the result of sending an extrinsic. */
export function eventData({ events }, name) {
  const found = events.filter((record) => eventName(record) === name);
  if (found.length !== 1) {
    throw new Error(`expected one ${name}, found ${found.length} among ${events.map(eventName).join(", ")}`);
  }
  return found[0].event.data;
}

/** Waits until block `number` is final and returns its hash. */
export async function finalised(api, number) {
  await new Promise((resolve, reject) => {
    const subscription = api.rpc.chain.subscribeFinalizedHeads((header) => {
      if (header.number.toNumber() < number) return;
      subscription.then((unsubscribe) => unsubscribe()).catch(reject);
      resolve();
    });
    subscription.catch(reject);
  });
  return api.rpc.chain.getBlockHash(number);
}

/** Every final block from height `first` on, as soon as it is final: height, hash, state and events. */
export async function* finalBlocks(api, first) {
  for (let number = first; ; number += 1) {
    const hash = await finalised(api, number);
    const state = await api.at(hash);
    yield { number, hash, state, events: await state.query.system.events() };
  }
}

/** A port that nobody listens at, for what has to be told its address before it starts. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
