// The demonstration's report: one HTML page that needs nothing but itself.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const OPEN = 10n ** 18n;
const STYLE = readFileSync(new URL("report.css", import.meta.url), "utf8");
/** Turns that spread any number of colours evenly around the wheel. */
const GOLDEN_ANGLE = 137.508;

const escape = (text) =>
  String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** Base units as OPEN with so many decimals. */
function open(amount, decimals = 2) {
  const sign = amount < 0n ? "−" : "";
  const unit = 10n ** BigInt(18 - decimals);
  const rounded = ((amount < 0n ? -amount : amount) + unit / 2n) / unit;
  const whole = (rounded / 10n ** BigInt(decimals)).toLocaleString("en-GB");
  const rest = String(rounded % 10n ** BigInt(decimals)).padStart(decimals, "0");
  return `${sign}${whole}${decimals > 0 ? `.${rest}` : ""}`;
}

const ratio = (part, whole) => (whole === 0n ? 0 : Number((part * 1_000_000n) / whole) / 1_000_000);
const add = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);
/** Reads a number as polkadot.js writes it for people. */
const human = (text) => BigInt(text.replaceAll(",", ""));
const short = (hash) => `${hash.slice(0, 10)}…${hash.slice(-6)}`;

/** A colour for each contributor, the same all over the page. */
function palette(contributors) {
  return new Map(contributors.map((person, at) => [person, `hsl(${Math.round(at * GOLDEN_ANGLE) % 360} 62% 46%)`]));
}

/** An answer's text, its spans in the colours of whoever wrote them. */
function coloured({ trace }, byContribution, colours) {
  const bytes = Buffer.from(trace.response);
  const text = (from, to) => escape(bytes.subarray(from, to).toString());
  let at = 0;
  let html = "";
  for (const span of trace.spans) {
    const owner = byContribution.get(span.contribution);
    const title = `${owner.crate.name} by ${owner.name}: record ${span.record}, bytes ${span.offset} to ${span.offset + span.length}`;
    html += text(at, span.start);
    html += `<mark style="--colour:${colours.get(owner)}" title="${escape(title)}">${text(span.start, span.start + span.length)}</mark>`;
    at = span.start + span.length;
  }
  return html + text(at, bytes.length);
}

function bars(shares, colours) {
  const total = add(shares.map(([, amount]) => amount));
  const rows = shares.map(([person, amount]) => {
    const share = ratio(amount, total);
    return `<li><span class="who"><i style="background:${colours.get(person)}"></i>${escape(person.crate.name)}</span>
      <span class="bar"><b style="width:${(share * 100).toFixed(2)}%;background:${colours.get(person)}"></b></span>
      <span class="number">${(share * 100).toFixed(1)} %</span></li>`;
  });
  return `<ul class="bars">${rows.join("")}</ul>`;
}

/** The records that an answer credits, strongest first; one that base and adapter both learnt from counts once. */
function creditedRecords({ trace }) {
  const records = new Map();
  for (const credit of trace.credits) {
    const key = `${credit.contribution}/${credit.record}`;
    const { amount } = records.get(key) ?? { amount: 0n };
    records.set(key, { ...credit, amount: amount + BigInt(credit.amount) });
  }
  return [...records.values()].sort((left, right) => Number(right.amount - left.amount));
}

function answerCard(answer, byContribution, colours) {
  const { trace, shares, model, prompt } = answer;
  const credited = creditedRecords(answer);
  const records = credited.slice(0, 2).map((credit) => {
    const owner = byContribution.get(credit.contribution);
    return `<details><summary><i style="background:${colours.get(owner)}"></i>${escape(owner.crate.name)}, record ${credit.record}
      <span class="number">${open(credit.amount, 4)} OPEN</span></summary><pre>${escape(credit.record_text)}…</pre></details>`;
  });
  const influential = credited.length === 1 ? "1 record" : `${credited.length} records`;
  const quoted = trace.spans.length === 1 ? "1 quoted span" : `${trace.spans.length} quoted spans`;
  return `<article class="answer">
    <div class="text"><p class="prompt"><span>${escape(model === "base" ? "Base model" : model)}</span>${escape(prompt)}</p>
      <pre class="response">${coloured(answer, byContribution, colours)}</pre>
      <p class="facts">${trace.tokens_in + trace.tokens_out} tokens · ${open(BigInt(trace.price))} OPEN · receipt ${trace.sequence} ·
        <code>${short(trace.hash)}</code></p></div>
    <div class="shares"><h4>Whose data shaped it</h4><p class="facts">${influential} by influence, ${quoted};
      data share ${open(BigInt(trace.data_share), 3)} OPEN${shares.length > 0 ? "" : ", which the treasury gets"}</p>${bars(shares.slice(0, 7), colours)}
      ${records.length ? `<h4>The records that count most</h4>${records.join("")}` : ""}</div>
  </article>`;
}

/** Where the settled money went, as a Sankey diagram in three columns. */
function flow(parts, earned, colours) {
  const [width, height, gap, thick] = [1080, 460, 12, 16];
  const total = add(parts.map(({ amount }) => amount));
  const receivers = [...earned].filter(([person, amount]) => person.crate !== undefined && amount > 0n);
  const unclaimed = parts.find(({ name }) => name === "data").amount - add(receivers.map(([, amount]) => amount));
  // An answer that nobody's data shaped pays its data share to the treasury.
  if (unclaimed > 0n) receivers.push([{ name: "treasury, for nobody's data" }, unclaimed]);
  const colour = (person) => colours.get(person) ?? "hsl(215 16% 47%)";
  const scale = (amount, space) => Math.max(1.5, ratio(amount, total) * space);
  const shown = height - gap * Math.max(parts.length, 1);
  const ribbon = (x1, y1, x2, y2, h, colour) => {
    const middle = (x1 + x2) / 2;
    return `<path d="M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2} v${h} C${middle},${y2 + h} ${middle},${y1 + h} ${x1},${y1 + h} Z" fill="${colour}"/>`;
  };
  const label = (x, y, title, amount, anchor = "start") =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}"><tspan>${escape(title)}</tspan><tspan class="amount" dx="8">${open(amount)}</tspan></text>`;
  let svg = "";
  const left = { x: 150, y: (height - shown) / 2 };
  let [from, to] = [left.y, 0];
  let data;
  for (const part of parts) {
    const size = scale(part.amount, shown);
    svg += ribbon(left.x + thick, from, 470, to, size, part.faint);
    svg += `<rect x="470" y="${to}" width="${thick}" height="${size}" rx="3" fill="${part.colour}"/>`;
    svg += label(470 + thick + 10, to + size / 2 + 5, part.name, part.amount);
    if (part.name === "data") data = { y: to, size };
    [from, to] = [from + size, to + size + gap];
  }
  svg += `<rect x="${left.x}" y="${left.y}" width="${thick}" height="${from - left.y}" rx="3" class="payer"/>`;
  svg += label(left.x - 10, height / 2, "Ferdie paid", total, "end");
  const earnedTotal = add(receivers.map(([, amount]) => amount));
  const step = height / Math.max(receivers.length, 1);
  let start = data.y;
  receivers
    .sort(([, a], [, b]) => (a < b ? 1 : -1))
    .forEach(([person, amount], at) => {
      const size = Math.max(0.8, ratio(amount, earnedTotal) * data.size);
      const y = at * step + (step - size) / 2;
      svg += ribbon(640, start, 800, y, size, colour(person).replace(")", " / 0.35)"));
      svg += `<rect x="800" y="${y}" width="${thick}" height="${size}" rx="2" fill="${colour(person)}"/>`;
      svg += `<text x="${800 + thick + 10}" y="${y + size / 2 + 5}"><tspan>${escape(person.name)}</tspan><tspan class="amount" dx="8">${open(amount, 3)}</tspan></text>`;
      start += size;
    });
  return `<svg class="flow" viewBox="0 0 ${width} ${height}" role="img" aria-label="Where the money went">${svg}</svg>`;
}

function balanceRows(people, before, after) {
  const listed = new Set(people.map(({ address }) => address));
  const rows = people.map((person) => {
    const [was, is] = [before, after].map(({ owned }) => owned.get(person.address) ?? { total: 0n, held: 0n });
    return { name: person.name, role: person.role, was: was.total, is: is.total, held: is.held };
  });
  const rest = ({ owned }, field) => add([...owned].filter(([address]) => !listed.has(address)).map(([, entry]) => entry[field]));
  rows.push({
    name: `${after.owned.size - listed.size} other accounts`,
    role: "treasury, reserves, pots, validators",
    was: rest(before, "total"),
    is: rest(after, "total"),
    held: rest(after, "held"),
  });
  const sum = (field) => add(rows.map((row) => row[field]));
  const line = ({ name, role, was, is, held }, kind = "") => {
    const change = is - was;
    return `<tr class="${kind}"><td>${escape(name)}<small>${escape(role)}</small></td><td>${open(was)}</td><td>${open(is)}</td>
      <td class="${change < 0n ? "less" : change > 0n ? "more" : ""}">${change > 0n ? "+" : ""}${open(change)}</td><td>${open(held)}</td></tr>`;
  };
  return [...rows.map((row) => line(row)), line({ name: "Sum", role: "all accounts", was: sum("was"), is: sum("is"), held: sum("held") }, "sum")].join("");
}

function cheats({ copies, cheat, forged, ruleset, voided, strict, refused }) {
  // In parts per billion of a contribution's records.
  const threshold = ruleset.data.duplicateThreshold.toNumber() / 1e7;
  return `<div class="cheats">
    <article><h3>Mallory copied fnv</h3><p>The records are another's, byte for byte. Charlie opened ${copies.proven} pairs of them on chain;
      past ${threshold} % of its records, the whole contribution falls. It earns nothing, ever.</p>
      <p class="loss">−${open(cheat.lost)} OPEN <small>stake</small></p></article>
    <article><h3>Eve forged a receipt</h3><p>She raised one score and settled. Charlie's watcher recomputed it from the committed row and sent one
      transaction: ${escape(voided.lie)} is proven, settlement ${forged.settlement} is void, and the payer has
      ${open(human(voided.refunded))} OPEN back.</p><p class="loss">−${open(human(voided.slashed))} OPEN <small>bond</small></p></article>
    <article><h3>${escape(strict.name)} said no</h3><p>Her licence forbids derivatives. With her contribution among the inputs the chain refuses the job:
      <code>${escape(refused)}</code>. Nothing is trained, nothing is charged.</p><p class="loss none">0 OPEN</p></article>
  </div>`;
}

/**
 * Writes `index.html` into `folder`.
 *
 * @param {object} run what demo/main.mjs saw; amounts are `bigint`s of base units
 * @returns {string} the page's path
 */
export function writeReport(folder, run) {
  const { answers, contributors, earned, events, manifests, people, before, after, split } = run;
  const colours = palette(contributors);
  const byContribution = new Map(contributors.map((person) => [person.contribution, person]));
  const paid = [...earned].filter(([person, amount]) => person.crate !== undefined && amount > 0n);
  const settled = add(Object.values(split));
  const parts = [
    ["operator", "var(--blue)", "rgb(53 99 233 / .16)"],
    ["builder", "var(--violet)", "rgb(124 58 237 / .16)"],
    ["data", "var(--green)", "rgb(5 150 105 / .2)"],
    ["stakers", "var(--amber)", "rgb(217 119 6 / .2)"],
    ["treasury", "var(--grey)", "rgb(100 116 139 / .2)"],
  ].map(([name, colour, faint]) => ({ name, colour, faint, amount: split[name] }));
  const figures = [
    [paid.length, "contributors paid"],
    [open(add(paid.map(([, amount]) => amount))), "OPEN earned by data"],
    [manifests.get("base").rows, "records, each with its owner"],
    [answers.reduce((total, { trace }) => total + trace.credits.length + trace.spans.length, 0), "attributions that anybody can check"],
    [`${Math.round(run.seconds / 6) / 10} min`, "from empty folders"],
  ];
  const models = [...manifests].map(
    ([name, { model, rows, lossBefore, lossAfter, transcript }]) =>
      `<tr><td>${escape(name === "base" ? "Base model" : name)}<small>model ${model}${name === "base" ? "" : ", adapter over the base"}</small></td>
       <td>${rows}</td><td>${(lossBefore / 1e6).toFixed(3)}</td><td>${(lossAfter / 1e6).toFixed(3)}</td><td><code>${short(transcript)}</code></td></tr>`,
  );
  const timeline = events.map(
    ({ block, name, data }) => `<tr><td>${block}</td><td><code>${escape(name)}</code></td><td><code>${escape(JSON.stringify(data))}</code></td></tr>`,
  );
  const everybody = [...contributors, run.cheat, run.strict, ...Object.values(people)];
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>OpenLedger: whose data shaped the answer</title><style>${STYLE}</style></head><body>
<header><p class="brand">OpenLedger</p><h1>Whose data shaped the answer,<br>and what it earned them</h1>
<p class="lead">${contributors.length} crates by ${contributors.length} owners went in. A model and two adapters were trained on chain, ${answers.length} questions were
asked through a payment channel, and every answer came with a receipt that the chain itself can check.</p>
<ul class="figures">${figures.map(([value, what]) => `<li><b>${value}</b>${what}</li>`).join("")}</ul></header>
<main>
<section><h2>Answers</h2><p class="note">Coloured text stands word for word in a contributor's record. The models are small and were trained for a minute, one to know a few pages by heart:
look at the attribution, not at the prose.</p>${answers.map((answer) => answerCard(answer, byContribution, colours)).join("")}</section>
<section><h2>Where the money went</h2><p class="note">${open(settled)} OPEN of one settlement, by the ruleset's split. The data share goes to those whose records shaped the answers, by the
receipts' weights, to the last unit.</p>${flow(parts, earned, colours)}</section>
<section><h2>Two cheats, and one who said no</h2>${cheats(run)}</section>
<section><h2>Models</h2><table><thead><tr><th>model</th><th>records</th><th>loss before</th><th>loss after</th><th>transcript</th></tr></thead>
<tbody>${models.join("")}</tbody></table></section>
<section><h2>Everybody's balance, before and after</h2><p class="note">In OPEN, from block ${before.block} to block ${after.block}, money on hold included. Nothing was made and nothing was lost:
both sums are the total issuance.</p><table class="balances"><thead><tr><th>account</th><th>before</th><th>after</th><th>change</th><th>of it on hold</th></tr></thead>
<tbody>${balanceRows(everybody, before, after)}</tbody></table></section>
<section><h2>What the chain recorded</h2><details class="events"><summary>${events.length} events of OpenLedger's pallets</summary>
<table><thead><tr><th>block</th><th>event</th><th>data</th></tr></thead><tbody>${timeline.join("")}</tbody></table></details></section>
</main><footer>Chain <code>${escape(run.genesis)}</code> · made by <code>scripts/demo.sh</code></footer></body></html>
`;
  const page = join(folder, "index.html");
  writeFileSync(page, html);
  return page;
}
