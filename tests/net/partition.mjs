// Two validators on each side of a cut: nothing may become final, and all must go on once it is healed.

import { FAR, FOUR, lagOf, lagText, withScene } from "./scene.mjs";
import { check, fixed, say, table } from "./text.mjs";

const SIDES = [FOUR.slice(0, 2), FOUR.slice(2)];
/** Slots before the cut, which say what lag is normal. */
const SLOTS_BEFORE = 20;
const CUT_SECONDS = 60;
/** Votes that have arrived before the cut may still be counted. */
const GRACE_SECONDS = 5;
const RECOVERY_SECONDS = 90;
/** How long recovery is waited for, to say how long it took. */
const PATIENCE_SECONDS = 300;

/**
 * Twice: on a chain whose validators stay, as they do for most of a production chain's minutes, and on one that
 * elects them anew within the cut, so that both sides come out of it with an unfinished change of GRANDPA's
 * authorities. The bound is for the first; the second has to recover as well, and how long that takes is said.
 */
export async function partition(settings) {
  const stay = ({ staking }) => Object.assign(staking, { forceEra: "ForceNone" });
  const staying = await cut("partition", "validators stay", stay, settings);
  const changing = await cut("partition-in-election", "validators are elected anew", undefined, settings);
  const { recovered } = staying;
  check(recovered <= RECOVERY_SECONDS, `recovery took ${fixed(recovered, 1)} s, more than ${RECOVERY_SECONDS} s`);
  return { staying, changing };
}

function cut(name, what, genesis, settings) {
  return withScene({ name, validators: FOUR, conditions: FAR, genesis, settings }, async ({ net, watch, wait }) => {
    say(what);
    const first = watch.slotNow();
    await wait("the slots before the cut", 120, () => watch.slotNow() >= first + SLOTS_BEFORE);
    const before = lagOf(
      watch,
      watch.finalChain().filter(({ slot }) => slot >= first),
    );
    const normal = before.most + watch.slotMilliseconds / 1_000;
    say(`before the cut finality lags: ${lagText(before)}`);

    const heights = () =>
      Object.fromEntries(
        FOUR.map((name) => [name, { best: watch.best(name).number, final: watch.final(name).number }]),
      );
    await net.partition(SIDES);
    const cutAt = Date.now();
    const atCut = heights();
    say(`cut: ${SIDES.map((side) => side.join(" and ")).join(" | ")}, for ${CUT_SECONDS} s`);
    await wait("the end of the cut", CUT_SECONDS + 10, () => Date.now() >= cutAt + CUT_SECONDS * 1_000);
    const atEnd = heights();
    const finalWithin = [...watch.blocks.values()].flatMap(({ number, final }) =>
      [...final]
        .filter(([, time]) => time > cutAt + GRACE_SECONDS * 1_000)
        .map(([name]) => `block ${number} at ${name}`),
    );
    check(
      finalWithin.length === 0,
      `blocks became final although two of four validators were away: ${finalWithin.join(", ")}`,
    );
    const [left, right] = SIDES.map(([name]) => watch.best(name));
    check(left.hash !== right.hash, "both sides have the same best block: the net was not cut");
    say(
      "nothing became final on either side; blocks made: " +
        SIDES.map(([name]) => atEnd[name].best - atCut[name].best).join(" | "),
    );

    await net.heal();
    const healedAt = Date.now();
    const finals = (name) =>
      [...watch.blocks.values()]
        .filter(({ final }) => final.get(name) > healedAt)
        .map((block) => ({ block, time: block.final.get(name) }));
    const lag = ({ block, time }) => (time - watch.startOf(block.slot)) / 1_000;
    const normally = (name) =>
      finals(name).filter((one) => watch.startOf(one.block.slot) >= healedAt && lag(one) <= normal);
    await wait(
      `finality with a lag of at most ${fixed(normal, 1)} s on all nodes after the cut`,
      PATIENCE_SECONDS,
      () => FOUR.every((name) => normally(name).length > 0),
    );
    const since = (found) => (Math.min(...found.map(({ time }) => time)) - healedAt) / 1_000;
    const nodes = FOUR.map((name) => ({ name, firstFinal: since(finals(name)), recovered: since(normally(name)) }));
    const recovered = Math.max(...nodes.map((node) => node.recovered));
    table([
      ["node", "best, final at the cut", "at its end", "first final block after healing", "lag is normal again"],
      ...nodes.map(({ name, firstFinal, recovered: normalAgain }) => [
        name,
        `${atCut[name].best}, ${atCut[name].final}`,
        `${atEnd[name].best}, ${atEnd[name].final}`,
        `${fixed(firstFinal, 1)} s`,
        `${fixed(normalAgain, 1)} s`,
      ]),
    ]);
    const depth = Math.max(0, ...watch.reorganisations.filter(({ time }) => time > healedAt).map((one) => one.depth));
    say(
      `recovered ${fixed(recovered, 1)} s after healing; the deepest reorganisation was of ${depth} blocks; ` +
        "never two final blocks of one height",
    );
    return { cutSeconds: CUT_SECONDS, before, atCut, atEnd, nodes, recovered, deepestReorganisation: depth };
  });
}
