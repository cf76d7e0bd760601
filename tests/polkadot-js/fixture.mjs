// What test files have in common: a development chain of their own.

import { after, before } from "node:test";

import { connect } from "./client.mjs";
import { startNode } from "./node.mjs";

/**
 * Gives the tests of the suite that calls it a development chain and a connection to it, and ends both
 * after them.
 *
 * @param {(chain: {node: Awaited<ReturnType<typeof startNode>>, api: Awaited<ReturnType<typeof connect>>}) => unknown} take
 *   gets both before the first test, which waits for what it returns
 * @param {Parameters<typeof startNode>[0]} [options] how to start the node
 */
export function withChain(take, options) {
  let node;
  let api;
  before(async () => {
    node = await startNode(options);
    api = await connect(node.url);
    await take({ node, api });
  });
  after(async () => {
    await api?.disconnect();
    await node?.stop();
  });
}
