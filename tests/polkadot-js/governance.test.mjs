// Referenda on a net of three validators, as holders drive them: proposals, deposits, votes with conviction,
// delegation, what comes of it, and what everybody gets back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import {
  OPEN,
  account,
  connect,
  developmentAccounts,
  eventData,
  eventName,
  finalised,
  sendAndInclude,
} from "./client.mjs";
import { startValidators } from "./node.mjs";
import { outcomes, propose, standardVote, tracks } from "./referenda.mjs";
import { scratchFolder } from "./worker.mjs";

const STAKE = 49_000_000n * OPEN;
const SPEND = 1_234n * OPEN + 5n;
/** The most that a referendum on the track `small_spender` spends, as docs/governance.md says. */
const SMALL_SPEND = 100_000n * OPEN;
/** How much a vote counts by its conviction, in tenths. */
const TENTHS = { None: 1n, Locked1x: 10n, Locked2x: 20n, Locked3x: 30n };

describe("holders of OPEN", { timeout: 400_000 }, () => {
  const folder = scratchFolder();
  const poaAdmin = { Origins: "PoaAdmin" };
  const smallSpender = { Origins: "SmallSpender" };
  let nodes = [];
  let api;
  let accounts;
  let beneficiary;
  let changed;
  let rulesetBefore;
  /** What was proposed: each with its proposer, then its referendum and the hash of its call, then what came of it. */
  let proposals;
  /** What Eve had reserved before she paid the decision deposits. */
  let reservedBefore;

  const at = (hash) => (hash === undefined ? api : api.at(hash));
  const dataOf = async ({ address }, hash) => (await (await at(hash)).query.system.account(address)).data;
  const reserved = async (who) => (await dataOf(who)).reserved.toBigInt();

  before(async () => {
    nodes = await startValidators(folder);
    api = await connect(nodes[0].url);
    accounts = developmentAccounts();
    beneficiary = account("//a fresh account that the treasury pays");
    const { alice, bob, charlie, dave, eve, ferdie } = accounts;

    rulesetBefore = (await api.query.attribution.currentRuleset()).toNumber();
    const newest = (await api.query.attribution.rulesetOf(rulesetBefore)).unwrap().toJSON();
    changed = { ...newest, receipt: { ...newest.receipt, topK: newest.receipt.topK + 1 } };
    const outOfBounds = { ...newest, settlement: { ...newest.settlement, settlementWindow: 0 } };
    const spend = (amount) => api.tx.treasury.spend(null, amount, beneficiary.address, null);
    proposals = {
      ruleset: { proposer: alice, origin: poaAdmin, call: api.tx.attribution.addRuleset(changed) },
      spend: { proposer: bob, origin: smallSpender, call: spend(SPEND) },
      outOfBounds: { proposer: charlie, origin: poaAdmin, call: api.tx.attribution.addRuleset(outOfBounds) },
      tooMuch: { proposer: dave, origin: smallSpender, call: spend(SMALL_SPEND + 1n) },
    };
    reservedBefore = await reserved(eve);

    // All at once. Ferdie has no time to follow every referendum: he delegates by track.
    const { poa_admin, small_spender } = tracks(api);
    const delegations = [poa_admin, small_spender].map(({ id }) =>
      api.tx.convictionVoting.delegate(id, alice.address, "Locked3x", STAKE),
    );
    const all = Object.values(proposals);
    const proposing = all.map(async (proposal) => {
      Object.assign(proposal, await propose(api, proposal.proposer, proposal.origin, proposal.call));
    });
    await Promise.all([...proposing, sendAndInclude(api, api.tx.utility.batchAll(delegations), ferdie)]);

    const referenda = all.map(({ referendum }) => referendum);
    const votes = (vote, which = referenda) => which.map((index) => api.tx.convictionVoting.vote(index, vote));
    const deposits = referenda.map((index) => api.tx.referenda.placeDecisionDeposit(index));
    const ballots = [
      [alice, votes(standardVote(STAKE))],
      [bob, votes(standardVote(STAKE, { conviction: "Locked2x" }))],
      [charlie, votes(standardVote(STAKE))],
      // Anybody may pay for a decision, and need not believe in it for long.
      [eve, [...deposits, ...votes(standardVote(STAKE, { conviction: "None" }))]],
      [dave, votes(standardVote(OPEN, { aye: false }), [proposals.spend.referendum])],
    ];
    await Promise.all(ballots.map(([voter, calls]) => sendAndInclude(api, api.tx.utility.batchAll(calls), voter)));

    const found = await outcomes(api, referenda, Math.min(...all.map(({ block }) => block)));
    for (const proposal of all) proposal.outcome = found.get(proposal.referendum);
  });
  after(async () => {
    await api?.disconnect();
    await Promise.all(nodes.map(({ stop }) => stop()));
  });

  test("count by what they hold, for how long they lock it, and for whom they vote", () => {
    const conviction = ["Locked1x", "Locked2x", "Locked1x", "None", "Locked3x"];
    const ayes = conviction.reduce((sum, name) => sum + (STAKE * TENTHS[name]) / 10n, 0n);
    for (const { outcome, referendum } of Object.values(proposals)) {
      assert.equal(outcome.tally.ayes.toBigInt(), ayes);
      assert.equal(outcome.tally.support.toBigInt(), STAKE * BigInt(conviction.length));
      assert.equal(outcome.tally.nays.toBigInt(), referendum === proposals.spend.referendum ? OPEN : 0n);
    }
  });

  test("add a ruleset, on every node", async () => {
    const { error, block } = proposals.ruleset.outcome;
    assert.equal(error, null);
    for (const { url } of nodes) {
      const own = await connect(url);
      try {
        const { query } = await own.at(await finalised(own, block));
        const newest = (await query.attribution.currentRuleset()).toNumber();
        assert.equal(newest, rulesetBefore + 1);
        assert.deepEqual((await query.attribution.rulesetOf(newest)).unwrap().toJSON(), changed);
      } finally {
        await own.disconnect();
      }
    }
  });

  test("cannot add one that is out of bounds", async () => {
    assert.equal(proposals.outOfBounds.outcome.error, "attribution.RulesetWindow");
    assert.match(proposals.outOfBounds.outcome.explanation, /window/i);
    // Nothing but the one that is within bounds was added.
    assert.equal((await api.query.attribution.currentRuleset()).toNumber(), rulesetBefore + 1);
  });

  test("spend from the treasury, and anybody has it paid out", async () => {
    const { outcome } = proposals.spend;
    assert.equal(outcome.error, null);
    const events = await (await api.at(outcome.hash)).query.system.events();
    const approved = eventData({ events }, "treasury.AssetSpendApproved");
    assert.equal(approved.amount.toBigInt(), SPEND);
    assert.equal(approved.beneficiary.toString(), beneficiary.address);
    assert.equal((await dataOf(beneficiary)).free.toBigInt(), 0n, "nothing moves by itself");

    const paid = await sendAndInclude(api, api.tx.treasury.payout(approved.index), accounts.ferdie);
    eventData(paid, "treasury.Paid");
    const [from, to, amount] = eventData(
      // The fee moves too.
      { events: paid.events.filter((record) => record.event.data.to?.toString() === beneficiary.address) },
      "balances.Transfer",
    );
    assert.deepEqual([to.toString(), amount.toBigInt()], [beneficiary.address, SPEND]);
    assert.equal((await dataOf(beneficiary, paid.blockHash)).free.toBigInt(), SPEND);
    const { parentHash } = await api.rpc.chain.getHeader(paid.blockHash);
    const treasury = { address: from.toString() };
    const [had, has] = await Promise.all([parentHash, paid.blockHash].map((hash) => dataOf(treasury, hash)));
    assert.ok(had.free.toBigInt() - has.free.toBigInt() > SPEND - OPEN, "the treasury has paid it");

    const again = sendAndInclude(api, api.tx.treasury.payout(approved.index), accounts.ferdie);
    await assert.rejects(again, { name: "DispatchFailure", error: "treasury.AlreadyAttempted" });
  });

  test("cannot spend more than the track allows", async () => {
    assert.equal(proposals.tooMuch.outcome.error, "treasury.InsufficientPermission");
    const { events } = (await api.at(proposals.tooMuch.outcome.hash)).query.system;
    const approved = (await events()).filter((record) => eventName(record) === "treasury.AssetSpendApproved");
    assert.ok(approved.every(({ event }) => event.data.amount.toBigInt() <= SMALL_SPEND));
  });

  test("get their deposits and their votes back", async () => {
    const { alice, eve } = accounts;
    const { poa_admin, small_spender } = tracks(api);
    const { referendum, preimage } = proposals.ruleset;
    const [byAlice, byEve] = await Promise.all([alice, eve].map(reserved));
    assert.equal(byEve - reservedBefore, 2n * (poa_admin.decisionDeposit + small_spender.decisionDeposit));
    const noted = (await api.query.preimage.requestStatusFor(preimage)).unwrap().asUnrequested.ticket[1].toBigInt();
    assert.ok(noted > 0n);

    const all = Object.values(proposals);
    const eves = [
      ...all.map((proposal) => api.tx.referenda.refundDecisionDeposit(proposal.referendum)),
      // What was voted without conviction is free as soon as the vote is taken back.
      ...all.map(({ referendum, origin }) =>
        api.tx.convictionVoting.removeVote(origin === poaAdmin ? poa_admin.id : small_spender.id, referendum),
      ),
      ...[poa_admin, small_spender].map(({ id }) => api.tx.convictionVoting.unlock(id, eve.address)),
    ];
    const alices = [api.tx.referenda.refundSubmissionDeposit(referendum), api.tx.preimage.unnotePreimage(preimage)];
    await Promise.all([
      sendAndInclude(api, api.tx.utility.batchAll(eves), eve),
      sendAndInclude(api, api.tx.utility.batchAll(alices), alice),
    ]);
    assert.equal(await reserved(eve), reservedBefore);
    assert.equal((await api.query.balances.locks(eve.address)).length, 0);
    const submission = api.consts.referenda.submissionDeposit.toBigInt();
    assert.equal(await reserved(alice), byAlice - submission - noted);
    // Alice's other locks stay: she has not taken her votes back, and their conviction runs on.
    assert.equal((await api.query.balances.locks(alice.address)).length, 1);
  });
});
