// What contributors, curators and payers do with polkadot.js alone: no custom types, every
// event and error by name.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";

import { u8aConcat, u8aToHex } from "@polkadot/util";
import { blake2AsU8a } from "@polkadot/util-crypto";

import { OPEN, developmentAccounts, eventData, finalised, sendAndFinalise, sendAndInclude } from "./client.mjs";
import { withChain } from "./fixture.mjs";
import { nodeBinary } from "./node.mjs";

const TAG = { chunk: 0x02, recordCommit: 0x03, recordLeaf: 0x04 };

const hash = (tag, ...parts) => blake2AsU8a(u8aConcat(Uint8Array.of(tag, 1), ...parts), 256);

function littleEndian(value, bytes) {
  return Uint8Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
}

/** The leaf of a contributor's only record, which is shorter than one chunk. */
function loneLeaf(contributor, bytes) {
  const scaled = u8aConcat(littleEndian((bytes.length << 2) | 1, 2), bytes);
  const content = hash(TAG.chunk, littleEndian(0, 4), scaled);
  const commit = hash(TAG.recordCommit, new Uint8Array(32), content, littleEndian(1, 4));
  return hash(TAG.recordLeaf, littleEndian(0, 4), contributor.publicKey, commit, littleEndian(bytes.length, 4));
}

describe("OpenLedger through polkadot.js", { timeout: 400_000 }, () => {
  let node;
  let api;
  let accounts;

  withChain((chain) => {
    ({ node, api } = chain);
    accounts = developmentAccounts();
  });

  const licence = {
    spdx: "MIT OR Apache-2.0",
    terms: { derivatives: true, commercial: true, shareAlike: false, attribution: true },
  };

  function contribution(datanet, contributor, text, overrides = {}) {
    const bytes = new TextEncoder().encode(text);
    const fields = {
      leaves: { root: u8aToHex(loneLeaf(contributor, bytes)), count: 1 },
      stake: 2n * OPEN,
      ...overrides,
    };
    return api.tx.datanets.contribute(
      datanet,
      fields.leaves,
      bytes.length,
      "Text",
      u8aToHex(new Uint8Array(32).fill(7)),
      fields.licence ?? licence,
      null,
      fields.stake,
    );
  }

  const text = "A record that is long enough to be worth something to whoever learns from it. ".repeat(4).trim();

  test("a contributor fills an open Datanet", async () => {
    const { alice, bob } = accounts;
    const created = await sendAndInclude(api, api.tx.datanets.createOpen("open data"), alice);
    const datanet = eventData(created, "datanets.DatanetCreated")[0].toNumber();
    const contributed = await sendAndInclude(api, contribution(datanet, bob, text), bob);
    const sequence = eventData(contributed, "datanets.Contributed")[0].toNumber();
    assert.ok(sequence >= 1);

    const early = sendAndInclude(api, api.tx.datanets.accept(sequence), bob);
    await assert.rejects(early, { name: "DispatchFailure", error: /^datanets\./ });

    const { data } = await api.query.datanets.contributions(sequence).then((entry) => ({ data: entry.unwrap() }));
    const window = (await api.query.attribution.rulesetOf(0)).unwrap().data.contributionWindow.toNumber();
    await finalised(api, data.submittedAt.toNumber() + window + 1);
    const accepted = await sendAndInclude(api, api.tx.datanets.accept(sequence), bob);
    eventData(accepted, "datanets.ContributionAccepted");

    const held = async () => (await api.query.datanets.contributions(sequence)).unwrap().held.toBigInt();
    assert.ok((await held()) > 0n);
    const withdrawn = await sendAndInclude(api, api.tx.datanets.withdraw(sequence), bob);
    const [, , cause] = eventData(withdrawn, "datanets.ContributionTombstoned");
    assert.equal(cause.type, "Withdrawn");
    const again = sendAndInclude(api, api.tx.datanets.withdraw(sequence), bob);
    await assert.rejects(again, { name: "DispatchFailure", error: /^datanets\./ });
  });

  test("curators decide on a curated Datanet", async () => {
    const { alice, bob, charlie, dave } = accounts;
    const curators = [charlie.address, dave.address];
    const created = await sendAndInclude(api, api.tx.datanets.createCurated("curated data", curators, 1), alice);
    const datanet = eventData(created, "datanets.DatanetCreated")[0].toNumber();
    await sendAndInclude(api, api.tx.datanets.joinAsCurator(datanet), charlie);
    const contributed = await sendAndInclude(api, contribution(datanet, bob, `${text} Once more.`), bob);
    const sequence = eventData(contributed, "datanets.Contributed")[0].toNumber();
    const stranger = sendAndInclude(api, api.tx.datanets.vote(sequence, true), alice);
    await assert.rejects(stranger, { name: "DispatchFailure", error: /^datanets\./ });
    const voted = await sendAndInclude(api, api.tx.datanets.vote(sequence, true), charlie);
    eventData(voted, "datanets.ContributionAccepted");
  });

  test("bad contributions are refused by name", async () => {
    const { bob } = accounts;
    const refused = async (call, error) =>
      assert.rejects(sendAndInclude(api, call, bob), { name: "DispatchFailure", error });
    await refused(contribution(4_000_000, bob, text), "datanets.UnknownDatanet");
    await refused(contribution(0, bob, text, { stake: 0n }), "datanets.StakeTooLow");
  });

  test("a payer opens a channel to an operator and tops it up", async () => {
    const { dave, eve } = accounts;
    const bond = 20_000n * OPEN;
    const unknown = sendAndInclude(api, api.tx.channels.open(dave.address, null, 10n * OPEN, 1_000), eve);
    await assert.rejects(unknown, { name: "DispatchFailure", error: /^channels\./ });
    const registered = await sendAndFinalise(
      api,
      api.tx.compute.registerOperator(bond, '{"device":"cpu"}', "http://127.0.0.1:8080"),
      dave,
    );
    eventData(registered, "compute.OperatorRegistered");
    // A Rust program sees the same in the last final block, by the types that are generated from the metadata.
    const operators = spawnSync(join(dirname(nodeBinary()), "examples", "operators"), [node.url], { encoding: "utf8" });
    assert.equal(operators.status, 0, operators.stderr);
    assert.match(operators.stdout, new RegExp(`^operator http://127.0.0.1:8080 bond ${bond}$`, "m"));
    const opened = await sendAndInclude(api, api.tx.channels.open(dave.address, null, 10n * OPEN, 1_000), eve);
    const channel = eventData(opened, "channels.Opened")[0];
    await sendAndInclude(api, api.tx.channels.topUp(channel, OPEN), eve);
    const stored = (await api.query.channels.channels(channel)).unwrap();
    assert.equal(stored.deposit.toBigInt(), 11n * OPEN);
    assert.equal(stored.payer.toString(), eve.address);

    // The operator leaves: nothing new, then every channel, then the bond.
    await sendAndInclude(api, api.tx.compute.drain(), dave);
    const tooEarly = sendAndInclude(api, api.tx.compute.withdrawBond(), dave);
    await assert.rejects(tooEarly, { name: "DispatchFailure", error: "compute.ChannelsOpen" });
    await sendAndInclude(api, api.tx.channels.closeAsPayee(channel), dave);
    const left = await sendAndInclude(api, api.tx.compute.withdrawBond(), dave);
    const [, amount] = eventData(left, "compute.BondWithdrawn");
    assert.equal(amount.toBigInt(), bond);
  });
});
