// Writes the runtime's metadata, version 14 to 16 as the node serves it, to the folder of the
// crate that makes Rust types of it, and that the worker compares a chain with; scripts/test.sh checks that it is current.

import { readFileSync, writeFileSync } from "node:fs";

import { connect } from "./client.mjs";
import { startNode } from "./node.mjs";

const VERSION = 14;
const file = new URL("../../client/metadata.scale", import.meta.url);

const node = await startNode();
try {
  const api = await connect(node.url);
  const metadata = (await api.call.metadata.metadataAtVersion(VERSION)).unwrap().toU8a(true);
  await api.disconnect();
  if (process.argv.includes("--check")) {
    if (Buffer.compare(readFileSync(file), metadata) !== 0) {
      throw new Error("client/metadata.scale is not the runtime's metadata: run scripts/update-metadata.sh");
    }
  } else {
    writeFileSync(file, metadata);
    console.log(`client/metadata.scale: ${metadata.length} bytes of metadata ${VERSION}`);
  }
} finally {
  await node.stop();
}
