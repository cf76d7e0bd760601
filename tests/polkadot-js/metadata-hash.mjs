// What an offline signer needs of a release: that the runtime knows the hash of its own metadata (RFC 78), so that
// an extrinsic signed over that hash is valid, and over another is not.
//
// scripts/check-metadata-hash.sh starts this.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { merkleizeMetadata } from "@polkadot-api/merkleize-metadata";
import { u8aToHex } from "@polkadot/util";

import { changeSpecification } from "./chain-spec.mjs";
import { OPEN, connect, developmentAccounts, eventData, sendAndInclude } from "./client.mjs";
import { startNode } from "./node.mjs";
import { scratchFolder } from "./worker.mjs";

/** The version of the metadata that the hash is made of. */
const METADATA_VERSION = 15;

const { values: options } = parseArgs({ options: { runtime: { type: "string" } } });
if (options.runtime === undefined) throw new Error("no --runtime FILE: Wasm that scripts/build-runtime.sh --metadata-hash has written");
const code = `0x${readFileSync(options.runtime).toString("hex")}`;

const specification = join(scratchFolder(), "release.json");
changeSpecification("dev", specification, (genesis) => {
  genesis.code = code;
});
const node = await startNode({ extraArguments: ["--chain", specification] });
const api = await connect(node.url);
const { alice, bob } = developmentAccounts();

// A wallet makes the hash itself, out of what the node serves it.
const { tokenDecimals, tokenSymbol } = await api.rpc.system.properties();
const metadata = (await api.call.metadata.metadataAtVersion(METADATA_VERSION)).unwrap();
const info = { decimals: tokenDecimals.unwrap()[0].toNumber(), tokenSymbol: tokenSymbol.unwrap()[0].toString() };
const hash = u8aToHex(merkleizeMetadata(metadata.toU8a(true), info).digest());
const wrong = u8aToHex(merkleizeMetadata(metadata.toU8a(true), { ...info, decimals: info.decimals - 1 }).digest());

const send = async (signing) => {
  const sent = await sendAndInclude(api, api.tx.balances.transferKeepAlive(bob.address, OPEN), alice, signing);
  eventData(sent, "system.ExtrinsicSuccess");
};
try {
  await send({ mode: 1, metadataHash: hash }).catch((error) => {
    if (!/CannotLookup/.test(error.message)) throw error;
    throw new Error(`${options.runtime} knows no metadata hash: build it with scripts/build-runtime.sh --metadata-hash`);
  });
  console.log(`==> signed over the metadata's hash, ${hash}: accepted`);
  // One digit of the amounts that the signer shows makes another hash.
  await assert.rejects(send({ mode: 1, metadataHash: wrong }), /1010: Invalid Transaction: Transaction has a bad signature/);
  console.log("==> signed over the hash with another number of decimals: refused, 1010, Transaction has a bad signature");
  await send({ mode: 0 });
  console.log("==> signed over no hash: accepted");
} finally {
  await api.disconnect();
  await node.stop();
}
