// The conformance vectors of attribution/proof, against an implementation that shares no line with it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";

import { hexToU8a, u8aConcat, u8aEq, u8aToHex } from "@polkadot/util";
import { blake2AsU8a, cryptoWaitReady, sr25519Verify } from "@polkadot/util-crypto";

const file = new URL("../../attribution/proof/vectors/v1.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8"));

const TAG = { node: 0x01, chunk: 0x02, responseChunk: 0x0b, responseSalt: 0x0c, total: 0x0e };
const VERSION = 1;
const CHUNK_BYTES = 1_024;
const BILLION = 1_000_000_000n;

const hash = (tag, ...parts) => blake2AsU8a(u8aConcat(Uint8Array.of(tag, VERSION), ...parts), 256);
const node = (left, right) => hash(TAG.node, left, right);

function littleEndian(value, bytes) {
  const out = new Uint8Array(bytes);
  for (let at = 0, rest = BigInt(value); at < bytes; at += 1, rest >>= 8n) out[at] = Number(rest & 0xffn);
  return out;
}

/** SCALE's compact length of a byte string shorter than 2^14. */
function scaleBytes(bytes) {
  const prefix = bytes.length < 64 ? littleEndian(bytes.length << 2, 1) : littleEndian((bytes.length << 2) | 1, 2);
  return u8aConcat(prefix, bytes);
}

function root(leaves) {
  if (leaves.length === 0) return new Uint8Array(32);
  let level = leaves;
  while (level.length > 1) {
    const next = [];
    for (let at = 0; at < level.length; at += 2) {
      next.push(at + 1 < level.length ? node(level[at], level[at + 1]) : level[at]);
    }
    level = next;
  }
  return level[0];
}

/** Whether `path` leads from leaf `index` of `count` to `expected`, at exactly the length that implies. */
function opens(expected, count, index, leaf, path) {
  if (index >= count) return false;
  let [at, width, reached, used] = [index, count, leaf, 0];
  while (width > 1) {
    if (at % 2 === 1 || at + 1 < width) {
      const sibling = path[used];
      if (sibling === undefined) return false;
      reached = at % 2 === 1 ? node(sibling, reached) : node(reached, sibling);
      used += 1;
    }
    at = Math.floor(at / 2);
    width = Math.ceil(width / 2);
  }
  return used === path.length && u8aEq(reached, expected);
}

function chunks(bytes) {
  const out = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) out.push(bytes.subarray(at, at + CHUNK_BYTES));
  return out;
}

function textDefect(bytes) {
  if (bytes.length === 0) return "Length";
  if (bytes.some((byte) => byte === 0x0d || byte === 0)) return "ControlCharacter";
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "NotUtf8";
  }
  return /[ \t](\n|$)/.test(text) ? "TrailingBlank" : null;
}

function apportion(amount, weights) {
  const sum = weights.reduce((total, weight) => total + weight, 0n);
  if (sum === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (amount * weight) / sum);
  const order = weights
    .map((weight, position) => ({ rest: (amount * weight) % sum, position }))
    .sort((a, b) => (a.rest === b.rest ? a.position - b.position : a.rest > b.rest ? -1 : 1));
  let left = amount - parts.reduce((total, part) => total + part, 0n);
  for (const { position } of order) {
    if (left === 0n) break;
    parts[position] += 1n;
    left -= 1n;
  }
  return parts;
}

describe("conformance vectors", () => {
  before(cryptoWaitReady);

  test("every object's hash is BLAKE2b-256 of its tagged preimage", () => {
    assert.ok(vectors.objects.length >= 10);
    for (const { object, preimage, hash: expected } of vectors.objects) {
      assert.equal(u8aToHex(blake2AsU8a(hexToU8a(preimage), 256)), expected, object);
      assert.equal(hexToU8a(preimage)[1], VERSION, object);
    }
  });

  test("every tree has its root, and every leaf opens at its index alone", () => {
    for (const { leaves, root: expected, openings } of vectors.merkle.trees) {
      const hashes = leaves.map((leaf) => hexToU8a(leaf));
      assert.equal(u8aToHex(root(hashes)), expected);
      for (const { index, path } of openings) {
        const siblings = path.map((sibling) => hexToU8a(sibling));
        for (let other = 0; other <= hashes.length; other += 1) {
          const opened = opens(hexToU8a(expected), hashes.length, other, hashes[index], siblings);
          assert.equal(opened, other === index, `leaf ${index} of ${hashes.length} at ${other}`);
        }
      }
    }
  });

  test("every forged opening is refused", () => {
    for (const forged of vectors.merkle.refused) {
      const path = forged.path.map((sibling) => hexToU8a(sibling));
      const opened = opens(hexToU8a(forged.root), forged.count, forged.index, hexToU8a(forged.leaf), path);
      assert.equal(opened, false, forged.name);
    }
  });

  test("records and responses are committed chunk by chunk", () => {
    const content = chunks(hexToU8a(vectors.content.bytes)).map((data, index) =>
      hash(TAG.chunk, littleEndian(index, 4), scaleBytes(data)),
    );
    assert.equal(u8aToHex(root(content)), vectors.content.root);
    const secret = hexToU8a(vectors.response.secret);
    const response = chunks(hexToU8a(vectors.response.bytes)).map((data, index) => {
      const position = littleEndian(index, 4);
      return hash(TAG.responseChunk, position, hash(TAG.responseSalt, secret, position), scaleBytes(data));
    });
    assert.equal(u8aToHex(root(response)), vectors.response.root);
  });

  test("the text rule names the same defect", () => {
    for (const { bytes, defect } of vectors.texts) assert.equal(textDefect(hexToU8a(bytes)), defect, bytes);
  });

  test("scores and eligibility are the same integers", () => {
    for (const { q, g, scale, floor, dot, norms, score, row } of vectors.scores.cases) {
      if (row !== undefined) {
        assert.equal(score, null, row);
        continue;
      }
      const sum = (values) => values.reduce((total, value) => total + BigInt(value), 0n);
      const product = sum(q.map((value, at) => BigInt(value) * BigInt(g[at])));
      const [queryNorm, rowNorm] = [q, g].map((values) => sum(values.map((value) => value * value)));
      assert.deepEqual([product, queryNorm, rowNorm].map(String), [dot, ...norms]);
      const [numerator, denominator] = floor.map(BigInt);
      const eligible = product > 0n && product * product * denominator >= numerator * queryNorm * rowNorm;
      assert.equal(eligible ? String(BigInt(scale) * product) : null, score);
    }
    const { dimension, q, g, scale, score } = vectors.scores.largest;
    assert.equal(String(BigInt(dimension) * BigInt(q) * BigInt(g) * BigInt(scale)), score);
  });

  test("money is split to the last unit", () => {
    const { apportion: cases, rule, splits, receipt } = vectors.money;
    for (const { amount, weights, parts } of cases) {
      assert.deepEqual(apportion(BigInt(amount), weights.map(BigInt)).map(String), parts);
    }
    const share = (parts, before, after) =>
      (after * BigInt(parts)) / BILLION - (before * BigInt(parts)) / BILLION;
    for (const { before: from, after: to, ...split } of splits) {
      const [before, after] = [BigInt(from), BigInt(to)];
      const [data, builder] = [share(rule.data, before, after), share(rule.builder, before, after)];
      const rest = apportion(after - before - data - builder, [rule.operator, rule.stakers, rule.treasury].map(BigInt));
      const [operator, stakers, treasury] = rest;
      const expected = { operator, builder, data, stakers, treasury };
      for (const [name, value] of Object.entries(expected)) assert.equal(String(value), split[name], name);
    }
    const scores = receipt.scores.map(BigInt);
    const lengths = receipt.spans.map((length) => BigInt(Math.min(length, receipt["span weight cap"])));
    const mix = BigInt(receipt["influence mix"]);
    const weights = [...apportion(mix, scores), ...apportion(BILLION - mix, lengths)];
    assert.deepEqual(weights.map(String), receipt.weights);

    const owners = [...new Set(receipt.owners)].sort((a, b) => a - b);
    const perOwner = owners.map((owner) =>
      weights.filter((_, at) => receipt.owners[at] === owner).reduce((total, weight) => total + weight, 0n),
    );
    const price = BigInt(receipt.price);
    const amounts = apportion(share(rule.data, 0n, price), perOwner);
    const payees = [Uint8Array.of(1), ...owners.map((owner) => u8aConcat(Uint8Array.of(2), littleEndian(owner, 8)))];
    const entries = payees.map((payee, at) => ({ payee, amount: [share(rule.builder, 0n, price), ...amounts][at] }));
    const paid = entries.filter(({ amount }) => amount > 0n);
    assert.deepEqual(
      paid.map(({ payee, amount }) => ({ payee: u8aToHex(payee), amount: String(amount) })),
      receipt.totals.map(({ payee, amount }) => ({ payee, amount })),
    );
    const leaves = paid.map(({ payee, amount }, index) => {
      const model = littleEndian(receipt.totals[index].model, 4);
      return hash(TAG.total, littleEndian(index, 4), model, payee, littleEndian(amount, 16));
    });
    assert.equal(u8aToHex(root(leaves)), receipt["totals root"]);
  });

  test("a voucher is signed raw or in the wallets' wrapper", () => {
    const { payload, wrapped, signer, signature, "wrapped signature": inWrapper } = vectors.voucher;
    const bytes = u8aConcat("<Bytes>", hexToU8a(payload), "</Bytes>");
    assert.equal(u8aToHex(bytes), wrapped);
    assert.ok(sr25519Verify(hexToU8a(payload), hexToU8a(signature), hexToU8a(signer)));
    assert.ok(sr25519Verify(bytes, hexToU8a(inWrapper), hexToU8a(signer)));
    assert.ok(!sr25519Verify(bytes, hexToU8a(signature), hexToU8a(signer)));
  });
});
