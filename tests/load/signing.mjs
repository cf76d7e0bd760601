// Signs transfers on all cores.

import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** What each transfer moves, in base units: a millionth of an OPEN. */
export const AMOUNT = 10n ** 12n;
/** Transfers that a thread signs at a time. */
const PART = 256;

/** Threads that sign the transfers of one chain, in the order of their numbers. */
export class Signers {
  #threads;
  #next = 0;

  constructor(threads) {
    this.#threads = threads;
  }

  /** Starts threads that sign for the chain of the node at `url`. */
  static async start(url, count = availableParallelism()) {
    const threads = Array.from(
      { length: count },
      () => new Worker(new URL("signer.mjs", import.meta.url), { workerData: { url, amount: AMOUNT } }),
    );
    await Promise.all(threads.map((thread) => once(thread, "message")));
    return new Signers(threads);
  }

  /** Signs the next transfers, and returns them in hexadecimal. */
  async sign(count) {
    const parts = [];
    for (const end = this.#next + count; this.#next < end; this.#next += PART) {
      parts.push({ from: this.#next, count: Math.min(PART, end - this.#next) });
    }
    this.#next = parts[parts.length - 1].from + parts[parts.length - 1].count;
    const waiting = [...parts.keys()];
    const work = async (thread) => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        thread.postMessage(parts[at]);
        [parts[at]] = await once(thread, "message");
      }
    };
    await Promise.all(this.#threads.map(work));
    return parts.flat();
  }

  async end() {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}
