// Sees everything that nodes import and finalise, with the time at which they do.

import { connect, developmentAccounts } from "../polkadot-js/client.mjs";

/**
 * A block that some node has imported.
 *
 * @typedef {object} Block
 * @property {string} hash
 * @property {string} parent
 * @property {number} number
 * @property {number} slot the slot that it was made in
 * @property {boolean} primary whether its author won the slot's lottery, or filled in
 * @property {string} author the name of its author's account
 * @property {Map<string, number>} seen when each node was first seen to have it, in milliseconds
 * @property {Map<string, number>} final when it was first seen final at each node
 */

/**
 * What a header says of its making. The author is whose key its seal is of: the authorities that its index counts
 * in stand in the state, and that of a block that is not final is soon discarded.
 */
function digest(api, header) {
  const logs = [...header.digest.logs];
  const made = logs.find((log) => log.isPreRuntime && log.asPreRuntime[0].isBabe).asPreRuntime[1];
  const claim = api.createType("RawBabePreDigest", made.toU8a(true));
  const seal = logs.pop().asSeal[1].toU8a(true);
  const { parentHash, number, stateRoot, extrinsicsRoot } = header;
  const { hash } = api.createType("Header", { parentHash, number, stateRoot, extrinsicsRoot, digest: { logs } });
  const signer = Object.entries(developmentAccounts()).find(([, pair]) =>
    pair.verify(hash.toU8a(), seal, pair.publicKey),
  );
  return { slot: claim.value.slotNumber.toNumber(), primary: claim.isPrimary, author: signer?.[0] ?? "unknown" };
}

export class Watch {
  /** @type {Map<string, Block>} by hash */
  blocks = new Map();
  /** Changes of a node's best chain that left blocks behind: node, how many blocks, time. */
  reorganisations = [];
  /** Milliseconds of a slot. */
  slotMilliseconds = 0;
  #nodes = new Map();
  #finalAt = new Map();
  #problem = null;

  /** Watches a node from now on. */
  async join(name, url) {
    const api = await connect(url);
    const node = { api, best: null, final: null, work: Promise.resolve(), left: false };
    this.#nodes.set(name, node);
    this.slotMilliseconds = api.consts.babe.expectedBlockTime.toNumber();
    const final = await api.rpc.chain.getFinalizedHead();
    node.final = this.#block(node, name, await api.rpc.chain.getHeader(final));
    // Headers come in order and are dealt with one after the other: finding an ancestor takes a question.
    const inOrder = (deal) => (header) => {
      const time = Date.now();
      // A node that has been taken leave of answers no longer.
      node.work = node.work
        .then(() => node.left || deal(header, time))
        .catch((error) => {
          if (!node.left) this.#problem ??= new Error(`what ${name} says cannot be followed: ${error.message}`);
        });
    };
    await api.rpc.chain.subscribeAllHeads(inOrder((header, time) => this.#block(node, name, header, time)));
    await api.rpc.chain.subscribeNewHeads(inOrder((header, time) => this.#best(node, name, header, time)));
    await api.rpc.chain.subscribeFinalizedHeads(inOrder((header, time) => this.#finalised(node, name, header, time)));
  }

  /** Watches a node no longer; before it is stopped. */
  async leave(name) {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    node.left = true;
    await node.api.disconnect();
  }

  /** Watches none any longer. */
  async close() {
    await Promise.all([...this.#nodes.keys()].map((name) => this.leave(name)));
  }

  /** The connection to a node. */
  api(name) {
    return this.#nodes.get(name).api;
  }

  /** Fails if two final blocks of one height were seen, or if anything could not be followed. */
  check() {
    if (this.#problem !== null) throw this.#problem;
  }

  /** The last final block of a node. */
  final(name) {
    return this.#nodes.get(name).final;
  }

  /** The best block of a node. */
  best(name) {
    return this.#nodes.get(name).best ?? this.final(name);
  }

  /** The final block of a height, as far as any node has shown it. */
  finalAt(number) {
    return this.#finalAt.get(number);
  }

  /** The final chain, in order. */
  finalChain() {
    return [...this.#finalAt.values()].sort((left, right) => left.number - right.number);
  }

  /** The slot that it is now. */
  slotNow() {
    return Math.floor(Date.now() / this.slotMilliseconds);
  }

  /** When a slot starts, in milliseconds. */
  startOf(slot) {
    return slot * this.slotMilliseconds;
  }

  /** Seconds from the start of the block's slot until it was seen final, for each node that has shown it. */
  lags(block) {
    return [...block.final.values()].map((time) => (time - this.startOf(block.slot)) / 1_000);
  }

  #block(node, name, header, time = Date.now()) {
    const hash = header.hash.toHex();
    let block = this.blocks.get(hash);
    if (block === undefined) {
      const parent = header.parentHash.toHex();
      block = {
        hash,
        parent,
        number: header.number.toNumber(),
        slot: 0,
        primary: false,
        author: "genesis",
        seen: new Map(),
        final: new Map(),
      };
      this.blocks.set(hash, block);
      if (block.number > 0) Object.assign(block, digest(node.api, header));
    }
    if (!block.seen.has(name)) block.seen.set(name, time);
    return block;
  }

  /** The block with this hash, which the node has. */
  async #known(node, name, hash) {
    return this.blocks.get(hash) ?? this.#block(node, name, await node.api.rpc.chain.getHeader(hash));
  }

  async #best(node, name, header, time) {
    const block = this.#block(node, name, header, time);
    const before = node.best;
    node.best = block;
    if (before === null || block.parent === before.hash) return;
    let [left, kept] = [before, block];
    while (left.hash !== kept.hash) {
      if (left.number >= kept.number) left = await this.#known(node, name, left.parent);
      else kept = await this.#known(node, name, kept.parent);
    }
    const depth = before.number - left.number;
    if (depth > 0) this.reorganisations.push({ node: name, depth, time });
  }

  async #finalised(node, name, header, time) {
    // One message may make many blocks final.
    const chain = [];
    let block = this.#block(node, name, header, time);
    while (block.number > node.final.number) {
      chain.push(block);
      block = await this.#known(node, name, block.parent);
    }
    if (chain.length > 0 && block.hash !== node.final.hash) {
      this.#problem ??= new Error(
        `${name} finalised ${chain[0].hash}, which does not descend from its final ${node.final.hash}`,
      );
    }
    for (const one of chain.reverse()) {
      const other = this.#finalAt.get(one.number);
      if (other !== undefined && other.hash !== one.hash) {
        this.#problem ??= new Error(
          `two final blocks at height ${one.number}: ${other.hash}, and at ${name} ${one.hash}`,
        );
      }
      this.#finalAt.set(one.number, one);
      one.final.set(name, time);
      node.final = one;
    }
  }
}
