// A thread that signs transfers, for signing.mjs. Transfer number n is sent by account n modulo their count, with its
// next nonce, so that any thread can sign any part.

import { parentPort, workerData } from "node:worker_threads";

import { connect, signOffline } from "../polkadot-js/client.mjs";
import { SENDERS, receivers, sender } from "./chain.mjs";

const { url, amount } = workerData;
// The one thing that takes long, and so before there is a connection to be kept alive.
const senders = Array.from({ length: SENDERS }, (_, number) => sender(number));
const api = await connect(url);
const calls = receivers().map((receiver) => api.tx.balances.transferKeepAlive(receiver, amount));

parentPort.on("message", ({ from, count }) => {
  const signed = [];
  for (let number = from; number < from + count; number += 1) {
    const at = number % SENDERS;
    signed.push(signOffline(api, calls[at], senders[at], Math.floor(number / SENDERS)));
  }
  parentPort.postMessage(signed);
});
parentPort.postMessage("ready");
