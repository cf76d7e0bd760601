// A validator whose keys run on two machines at once: the mistake that costs validators the most. Others report
// it by themselves; the validator is slashed, and is none any more.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { fourValidators } from "./chain-spec.mjs";
import { OPEN, connect, decodeError, developmentAccounts, eventName, finalBlocks } from "./client.mjs";
import { peerAddress, startValidator } from "./node.mjs";
import { scratchFolder } from "./worker.mjs";

/** The blocks in which a report must have been accepted. Each of four authors has one slot in four. */
const REPORTED_WITHIN = 40;
/** The blocks in which the slash must be there: it is deferred by eras of 21 slots, of which a few have no block. */
const SLASHED_WITHIN = 120;
/** A billionth, of which runtimes count their shares. */
const BILLION = 1_000_000_000n;
const REPORTS = ["babe.reportEquivocationUnsigned", "grandpa.reportEquivocationUnsigned"];

describe("a validator whose keys run twice", { timeout: 600_000 }, () => {
  const folder = scratchFolder();
  let nodes = [];
  let honest;
  let api;
  let charlie;
  /** The block with the first report, and what it did to Charlie. */
  let report;

  before(async () => {
    const specification = await fourValidators(folder);
    const start = (name, home, ...more) => startValidator(specification, name, join(folder, home), ...more);
    nodes = [await start("alice", "alice")];
    const others = ["--bootnodes", await peerAddress(nodes[0].url)];
    const homes = ["bob", "dave", "charlie", "charlie-again"];
    nodes.push(...(await Promise.all(homes.map((home) => start(home.split("-")[0], home, ...others)))));
    honest = nodes.slice(0, 3);
    api = await connect(nodes[0].url);
    ({ charlie } = developmentAccounts());
  });
  after(async () => {
    await api?.disconnect();
    // Nobody reads their databases again.
    await Promise.all(nodes.map(({ kill }) => kill()));
  });

  const active = async (state) => (await state.query.staking.ledger(charlie.address)).unwrap().active.toBigInt();
  const validators = async (state) => (await state.query.session.validators()).map(String);
  const era = async (state) => (await state.query.staking.activeEra()).unwrap().index.toNumber();
  const treasury = async (state) =>
    (await state.query.system.account(state.consts.treasury.potAccount)).data.free.toBigInt();
  /** Errors of the extrinsics that fail in a block, such as of reports whose proof is none. */
  const failures = ({ events }) =>
    events
      .filter((record) => eventName(record) === "system.ExtrinsicFailed")
      .map(({ event }) => decodeError(api, event.data.dispatchError).error)
      .join(", ");
  const aboutCharlie = (events, name) =>
    events.filter((record) => eventName(record) === name && String(record.event.data[0]) === charlie.address);

  test("is reported by those who see it", async () => {
    for await (const block of finalBlocks(api, 1)) {
      if (block.events.some((record) => eventName(record) === "offences.Offence")) {
        report = block;
        break;
      }
      assert.ok(block.number < REPORTED_WITHIN, `nobody's report is accepted until block ${block.number}: ${failures(block)}`);
    }
    const { events, hash } = report;
    const { extrinsics } = (await api.rpc.chain.getBlock(hash)).block;
    const reports = extrinsics.filter(({ method }) => REPORTS.includes(`${method.section}.${method.method}`));
    assert.ok(reports.length > 0 && reports.every(({ isSigned }) => !isSigned), "nobody needs an account to report");
    assert.equal(failures(report), "", "no report is refused");
    // A block and a vote for the same height are two offences.
    for (const slash of aboutCharlie(events, "staking.SlashReported")) {
      const fraction = slash.event.data.fraction.toBigInt();
      assert.ok(fraction > 0n && fraction <= BILLION);
      report.fraction = fraction;
      report.era = slash.event.data.slashEra.toNumber();
    }
    assert.ok(report.fraction !== undefined, "it is Charlie who is reported");
    assert.equal(report.era, await era(report.state));
    // His own nodes see each other too, and could have been first.
    const reporters = honest.filter(({ log }) => log.some((line) => line.includes("Submitted equivocation report")));
    assert.ok(reporters.length > 0, "an honest node has submitted a report");
  });

  test("makes no more blocks in this era", async () => {
    const index = (await validators(report.state)).indexOf(charlie.address);
    const disabled = (await report.state.query.session.disabledValidators()).map(([position]) => position.toNumber());
    assert.deepEqual(disabled, [index]);
  });

  test("is no candidate any more", async () => {
    assert.equal(aboutCharlie(report.events, "staking.Chilled").length, 1);
    const candidates = await report.state.query.staking.validators.keys();
    assert.ok(!candidates.map(({ args: [stash] }) => stash.toString()).includes(charlie.address));
    assert.equal(candidates.length, 3);
  });

  test("is slashed once the time to appeal is over, and the treasury has it", async () => {
    const due = report.era + api.consts.staking.slashDeferDuration.toNumber() + 1;
    const stake = await active(report.state);
    // Of what he was elected with, which elections round.
    const exposed = (await report.state.query.staking.erasStakersOverview(report.era, charlie.address)).unwrap();
    const slashed = (exposed.total.toBigInt() * report.fraction) / BILLION;
    let last = report;
    for await (const block of finalBlocks(api, report.number + 1)) {
      const slashes = aboutCharlie(block.events, "staking.Slashed");
      if (slashes.length > 0) {
        assert.equal(await era(block.state), due);
        const lost = slashes.reduce((sum, { event }) => sum + event.data.amount.toBigInt(), 0n);
        assert.ok(lost - slashed <= 1n && slashed - lost <= 1n, `he loses ${lost} instead of ${slashed}`);
        assert.equal(await active(block.state), stake - lost);
        // Whoever included the report is paid out of the slash, at most a tenth of it.
        const [had, has] = await Promise.all([last, block].map(({ state }) => treasury(state)));
        assert.ok(has - had >= (slashed * 9n) / 10n && has - had <= slashed + OPEN, `the treasury has ${has - had} more`);
        last = block;
        break;
      }
      assert.equal(await active(block.state), stake, "until then he has lost nothing");
      assert.ok(block.number < report.number + SLASHED_WITHIN, `era ${due} begins in time`);
      last = block;
    }
    // He was not elected for the eras that began since.
    assert.ok(!(await validators(last.state)).includes(charlie.address));
    assert.equal((await validators(last.state)).length, 3);
  });
});
