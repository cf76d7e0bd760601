// Keeps a node's pool full of transfers, and counts what comes out of it.

import { ask } from "../polkadot-js/node.mjs";
import { height, isSigned } from "./chain.mjs";

/** Transfers in one request, and requests at a time. */
const BATCH = 64;
const REQUESTS = 4;
/** How often the chain is asked for new blocks. */
const POLL_MILLISECONDS = 100;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Submits extrinsics in one request; fails unless the pool takes all. */
async function submit(url, extrinsics) {
  const response = await fetch(url.replace("ws:", "http:"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(
      extrinsics.map((extrinsic, id) => ({ jsonrpc: "2.0", id, method: "author_submitExtrinsic", params: [extrinsic] })),
    ),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the node answered ${response.status}: ${text}`);
  const refused = JSON.parse(text).find(({ error }) => error !== undefined);
  if (refused !== undefined) throw new Error(`the pool refused a transfer: ${JSON.stringify(refused.error)}`);
}

/** A pool that is kept full. */
export class Feeder {
  /** Blocks since the start, in order: height, hash, signed extrinsics, when it was seen. */
  blocks = [];
  /** Pool sizes, each time that a block was seen, after its transfers had left. */
  sizes = [];
  #accepted = 0;
  #included = 0;
  #stopped = false;

  /**
   * @param {string} url the node
   * @param {(count: number) => Promise<string[]>} next gives the next signed transfers
   * @param {number} size how many are kept in the pool
   */
  constructor(url, next, size) {
    this.url = url;
    this.next = next;
    this.size = size;
  }

  /** Transfers in the pool: what it took, less what blocks have. */
  get pending() {
    return this.#accepted - this.#included;
  }

  /** Starts feeding, and returns once the pool is full. What goes wrong later fails `stop`. */
  async start() {
    const first = (await height(this.url)) + 1;
    let filled;
    const full = new Promise((resolve) => {
      filled = resolve;
    });
    const work = Promise.all([this.#watch(first), this.#feed(filled)]);
    this.work = work;
    // Nobody may be waiting when it fails.
    work.catch(() => {
      this.#stopped = true;
    });
    await Promise.race([full, work]);
  }

  /** Ends feeding, after what is under way. */
  async stop() {
    this.#stopped = true;
    await this.work;
  }

  get failed() {
    return this.#stopped;
  }

  async #feed(filled) {
    while (!this.#stopped) {
      const missing = this.size - this.pending;
      if (missing <= 0) filled();
      if (missing < BATCH) {
        await pause(POLL_MILLISECONDS / 4);
        continue;
      }
      const extrinsics = await this.next(Math.min(missing, BATCH * REQUESTS));
      const batches = [];
      for (let from = 0; from < extrinsics.length; from += BATCH) batches.push(extrinsics.slice(from, from + BATCH));
      await Promise.all(batches.map((batch) => submit(this.url, batch)));
      this.#accepted += extrinsics.length;
    }
  }

  async #watch(next) {
    while (!this.#stopped) {
      for (const best = await height(this.url); next <= best; next += 1) {
        const hash = await ask(this.url, "chain_getBlockHash", next);
        const { block } = await ask(this.url, "chain_getBlock", hash);
        const transfers = block.extrinsics.filter(isSigned).length;
        this.#included += transfers;
        this.blocks.push({ number: next, hash, transfers, seen: Date.now() });
        this.sizes.push(this.pending);
      }
      await pause(POLL_MILLISECONDS);
    }
  }
}
