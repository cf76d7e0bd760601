// A node that is killed without warning while it imports blocks.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { blake2AsHex } from "@polkadot/util-crypto";

import { OPEN, connect, developmentAccounts, finalised, sendAndInclude } from "./client.mjs";
import { withChain } from "./fixture.mjs";
import { ask, peerAddress, startImporter } from "./node.mjs";
import { scratchFolder } from "./worker.mjs";

/** Blocks with enough in them that executing one takes a while: transfers to as many new accounts. */
const BLOCKS = 10;
const TRANSFERS = 400;
/** The heights at which the importing node is killed. */
const KILLED_AT = [1, 3, 6, 8];
/** How long a node may take to reach the next of them. */
const PATIENCE_MILLISECONDS = 120_000;

describe("a node that is killed while it imports", { timeout: 600_000 }, () => {
  const folder = scratchFolder();
  let author;
  let api;
  let importer;
  let peer;

  after(() => importer?.stop());
  withChain(
    async (chain) => {
      ({ node: author, api } = chain);
      peer = await peerAddress(author.url);
    },
    { open: true },
  );

  const height = async (url) => Number((await ask(url, "chain_getHeader")).number);
  const finalHeight = async (url) => {
    const header = await ask(url, "chain_getHeader", await ask(url, "chain_getFinalizedHead"));
    return Number(header.number);
  };
  /** Asks the importing node, as fast as it answers, until `read` gives at least `wanted`; returns what it gave. */
  async function atLeast(wanted, read) {
    for (const end = Date.now() + PATIENCE_MILLISECONDS; Date.now() < end; ) {
      const found = await read(importer.url);
      if (found >= wanted) return found;
    }
    throw new Error(`the node does not reach ${wanted}; its last lines:\n${importer.log.slice(-40).join("\n")}`);
  }

  test("goes on with whole blocks, and has all of the state in the end", async () => {
    const { alice } = developmentAccounts();
    for (let block = 0; block < BLOCKS; block += 1) {
      // Any 32 bytes are an account.
      const receivers = Array.from({ length: TRANSFERS }, (_, at) => blake2AsHex(`receiver ${at} of ${block}`, 256));
      const transfers = receivers.map((receiver) => api.tx.balances.transferKeepAlive(receiver, OPEN));
      await sendAndInclude(api, api.tx.utility.batchAll(transfers), alice);
    }
    const last = await height(author.url);

    let interrupted = 0;
    for (const killedAt of KILLED_AT) {
      importer = await startImporter(folder, peer);
      const reached = await atLeast(killedAt, height);
      await importer.kill();
      if (reached < last) interrupted += 1;
    }
    assert.ok(interrupted >= 2, `${interrupted} kills hit a node that was still importing`);

    // Without a peer it has nothing but what the kills left on its disk.
    importer = await startImporter(folder);
    const found = await height(importer.url);
    assert.ok(found > 0, "what was imported before the kills is kept");
    const hashes = await Promise.all([importer, author].map(({ url }) => ask(url, "chain_getBlockHash", found)));
    assert.equal(hashes[0], hashes[1]);
    await importer.stop();

    importer = await startImporter(folder, peer);
    const imported = await connect(importer.url);
    const hash = (await finalised(api, last)).toHex();
    assert.equal((await finalised(imported, last)).toHex(), hash);
    // All of the state is there, not only what the last blocks touched.
    const own = await imported.at(hash);
    const accounts = await own.query.system.account.entries();
    assert.ok(accounts.length > BLOCKS * TRANSFERS);
    const total = accounts.reduce((sum, [, { data }]) => sum + data.free.toBigInt() + data.reserved.toBigInt(), 0n);
    assert.equal(total, (await own.query.balances.totalIssuance()).toBigInt());
    await imported.disconnect();
  });

  test("still holds for final what it held for final before", async () => {
    const known = await atLeast(1, finalHeight);
    // The database writes behind the node's back: the next final block shows that this one is on disk.
    await atLeast(known + 1, finalHeight);
    await importer.kill();
    importer = await startImporter(folder);
    assert.ok((await finalHeight(importer.url)) >= known);
  });
});
