// A development chain as a wallet sees it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { findUnknownExtensions } from "@polkadot/types/extrinsic/signedExtensions";
import { u8aToHex } from "@polkadot/util";

import {
  OPEN,
  SS58_PREFIX,
  account,
  developmentAccounts,
  eventData,
  eventName,
  finalised,
  sendAndFinalise,
  sendAndInclude,
} from "./client.mjs";
import { withChain } from "./fixture.mjs";
import { ask } from "./node.mjs";

describe("a development chain", { timeout: 600_000 }, () => {
  let node;
  let api;
  let accounts;

  withChain((chain) => {
    ({ node, api } = chain);
    accounts = developmentAccounts();
  });

  const free = async (who) => (await api.query.system.account(who.address)).data.free.toBigInt();

  test("names its token, its decimals and its address prefix", async () => {
    const properties = await api.rpc.system.properties();
    assert.deepEqual(properties.tokenSymbol.unwrap().toHuman(), ["OPEN"]);
    assert.deepEqual(properties.tokenDecimals.unwrap().map(Number), [18]);
    assert.equal(properties.ss58Format.unwrap().toNumber(), SS58_PREFIX);
    assert.equal(api.consts.system.ss58Prefix.toNumber(), SS58_PREFIX);
  });

  test("knows an account by its address, as wallets ask for the next nonce", async () => {
    const { ferdie } = accounts;
    const known = (await api.query.system.account(ferdie.address)).nonce.toNumber();
    assert.equal((await api.rpc.system.accountNextIndex(ferdie.address)).toNumber(), known);
  });

  test("serves every version of its metadata that a wallet may read", async () => {
    const versions = (await api.call.metadata.metadataVersions()).map(Number);
    for (const version of [14, 15, 16]) {
      assert.ok(versions.includes(version), `metadata ${version} is among ${versions}`);
      const metadata = await api.call.metadata.metadataAtVersion(version);
      assert.ok(metadata.isSome, `metadata ${version} is served`);
    }
  });

  test("gives every call, event and error a name and an explanation", () => {
    const ours = ["datanets", "models", "compute", "channels", "attribution"];
    let checked = 0;
    for (const kind of ["tx", "events", "errors"]) {
      for (const [section, items] of Object.entries(api[kind])) {
        for (const [name, item] of Object.entries(items)) {
          assert.ok(item.meta.name.toString().length > 0, `${kind}.${section}.${name} has a name`);
          if (ours.includes(section)) {
            assert.ok(item.meta.docs.join("").trim().length > 0, `${kind}.${section}.${name} is documented`);
          }
          checked += 1;
        }
      }
    }
    assert.ok(checked > 100, `${checked} calls, events and errors were read`);
  });

  test("asks wallets for no transaction extension that they do not know", () => {
    const names = api.registry.signedExtensions;
    assert.ok(names.includes("ChargeTransactionPayment"), `the extensions are read: ${names}`);
    assert.deepEqual(findUnknownExtensions(names), []);
  });

  test("makes blocks that become final one after another", async () => {
    const hash = await finalised(api, 3);
    const header = await api.rpc.chain.getHeader(hash);
    assert.equal(header.number.toNumber(), 3);
    assert.equal((await api.rpc.chain.getBlockHash(2)).toHex(), header.parentHash.toHex());
  });

  test("gives a block's transactions as hexadecimal, as every tool expects", async () => {
    const response = await api._rpcCore.provider.send("chain_getBlock", []);
    assert.ok(response.block.extrinsics.length > 0);
    for (const extrinsic of response.block.extrinsics) assert.match(extrinsic, /^0x[0-9a-f]+$/);
  });

  test("includes and finalises a transfer, exact to the last unit", async () => {
    const { charlie, dave } = accounts;
    const amount = 12n * OPEN + 345n;
    const [fromBefore, toBefore] = [await free(charlie), await free(dave)];

    const result = await sendAndFinalise(api, api.tx.balances.transferKeepAlive(dave.address, amount), charlie);

    const [from, to, transferred] = eventData(result, "balances.Transfer");
    assert.deepEqual([from.toString(), to.toString()], [charlie.address, dave.address]);
    assert.equal(transferred.toBigInt(), amount);
    const [payer, fee] = eventData(result, "transactionPayment.TransactionFeePaid");
    assert.equal(payer.toString(), charlie.address);
    assert.ok(fee.toBigInt() > 0n, "the transfer has a fee");
    eventData(result, "system.ExtrinsicSuccess");
    assert.equal(await free(charlie), fromBefore - amount - fee.toBigInt());
    assert.equal(await free(dave), toBefore + amount);
  });

  test("has every event of a block decoded by name, with no byte left over", async () => {
    const { eve, ferdie } = accounts;
    const transfer = api.tx.balances.transferKeepAlive(ferdie.address, OPEN);
    const { blockHash } = await sendAndFinalise(api, transfer, eve);

    const then = await api.at(blockHash);
    const events = await then.query.system.events();
    const stored = await api.rpc.state.getStorage(then.query.system.events.key(), blockHash);
    assert.equal(events.toHex(), stored.unwrap().toHex());
    for (const record of events) {
      const { event } = record;
      assert.ok(then.events[event.section][event.method].is(event), `${eventName(record)} is known by name`);
      assert.equal(event.data.length, event.meta.fields.length, `${eventName(record)} has all its fields`);
    }
    assert.ok(events.map(eventName).includes("balances.Transfer"));
  });

  test("gives out session keys with the proof that registers them", async () => {
    const { eve } = accounts;
    const { keys, proof } = await ask(node.url, "author_rotateKeysWithOwner", u8aToHex(eve.publicKey));
    const someoneElses = sendAndInclude(api, api.tx.session.setKeys(keys, proof), accounts.ferdie);
    await assert.rejects(someoneElses, { name: "DispatchFailure", error: "session.InvalidProof" });
    await sendAndInclude(api, api.tx.session.setKeys(keys, proof), eve);
    assert.equal((await api.query.session.nextKeys(eve.address)).unwrap().toHex(), keys);
  });

  test("names the runtime's error when a transfer is too big", async () => {
    const { bob, charlie } = accounts;
    const amount = (await free(bob)) + OPEN;
    await assert.rejects(
      sendAndInclude(api, api.tx.balances.transferKeepAlive(charlie.address, amount), bob),
      { name: "DispatchFailure", error: "token.FundsUnavailable" },
    );
  });

  test("names a pallet's error and says what it means", async () => {
    const unknown = `0x${"5a".repeat(32)}`;
    await assert.rejects(sendAndInclude(api, api.tx.preimage.unnotePreimage(unknown), accounts.bob), {
      name: "DispatchFailure",
      error: "preimage.NotNoted",
      explanation: /preimage/i,
    });
  });

  test("names the error when a call needs another origin", async () => {
    await assert.rejects(sendAndInclude(api, api.tx.system.setHeapPages(64), accounts.bob), {
      name: "DispatchFailure",
      error: "badOrigin",
    });
  });

  test("refuses an extrinsic of an account that cannot pay its fee", async () => {
    const nobody = account("//an account that nobody has paid into");
    await assert.rejects(
      sendAndInclude(api, api.tx.system.remark("0x00"), nobody),
      /1010: Invalid Transaction: Inability to pay some fees/,
    );
  });
});
