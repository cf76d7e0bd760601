// The conformance vectors of attribution/proof, against an implementation in TypeScript that shares no
// line with it, and against the Wasm runtime of a node.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";

import { hexToU8a, u8aConcat, u8aToHex } from "@polkadot/util";
import { cryptoWaitReady } from "@polkadot/util-crypto";

import { withChain } from "./fixture.mjs";
import { TAG, chainProof, littleEndian, ownProof, sum, wrapped } from "./proof.mts";
import type { Proof, Row, Split, SplitRule, Tag } from "./proof.mts";

type Hex = `0x${string}`;
/** Integers that may exceed what JSON's numbers hold. */
type Digits = string;

interface Vectors {
  version: number;
  merkle: {
    trees: { leaves: Hex[]; root: Hex; openings: { index: number; path: Hex[] }[] }[];
    refused: { name: string; count: number; root: Hex; index: number; leaf: Hex; path: Hex[] }[];
  };
  objects: { object: string; preimage: Hex; hash: Hex }[];
  content: { bytes: Hex; root: Hex };
  response: { bytes: Hex; secret: Hex; root: Hex };
  texts: { bytes: Hex; defect: string | null }[];
  scores: {
    cases: (
      | { row: string; score: null }
      | {
          row?: undefined;
          q: number[];
          g: number[];
          scale: number;
          floor: [number, number];
          /** Sum of the products, and of the squares of `q` and of `g`. */
          dot: Digits;
          norms: [Digits, Digits];
          score: Digits | null;
        }
    )[];
    largest: { dimension: number; q: number; g: number; scale: number; score: Digits };
  };
  money: {
    apportion: { amount: Digits; weights: Digits[]; parts: Digits[] }[];
    rule: SplitRule;
    splits: ({ before: Digits; after: Digits } & Record<keyof SplitRule, Digits>)[];
    receipt: {
      scores: Digits[];
      spans: number[];
      "influence mix": number;
      "span weight cap": number;
      weights: Digits[];
      owners: number[];
      price: Digits;
      totals: { model: number; payee: Hex; amount: Digits }[];
      "totals root": Hex;
    };
  };
  voucher: { payload: Hex; wrapped: Hex; signer: Hex; signature: Hex; "wrapped signature": Hex };
}

const file = new URL("../../attribution/proof/vectors/v1.json", import.meta.url);
const vectors: Vectors = JSON.parse(readFileSync(file, "utf8"));
const bytesOf = (hexes: Hex[]): Uint8Array[] => hexes.map((hex) => hexToU8a(hex));

/** What is scored in a vector: a row, a query and a floor. Rows without a gradient need no particular query. */
function scored(vector: Vectors["scores"]["cases"][number]): [Row, number[], [number, number]] {
  if (vector.row === undefined) return [{ Own: vector }, vector.q, vector.floor];
  if (vector.row === "Absent") return ["Absent", [1, 2], [0, 1]];
  const duplicate = /^DuplicateOf\((\d+)\)$/.exec(vector.row);
  assert.ok(duplicate !== null, vector.row);
  return [{ DuplicateOf: Number(duplicate[1]) }, [1, 2], [0, 1]];
}

/** Every vector, against one implementation. */
function conforms(proof: () => Proof): void {
  test("every object's hash is BLAKE2b-256 of its tagged preimage", async () => {
    assert.equal(vectors.version, 1);
    assert.ok(vectors.objects.length >= 10);
    const names = new Map(Object.entries(TAG).map(([name, tag]) => [tag as number, name as Tag]));
    for (const { object, preimage, hash } of vectors.objects) {
      const [tag, version, ...body] = hexToU8a(preimage);
      assert.equal(version, vectors.version, object);
      const name = names.get(tag!);
      assert.ok(name !== undefined, `${object} has tag ${tag}`);
      const computed = await proof().objectHash(name, Uint8Array.from(body));
      assert.equal(u8aToHex(computed), hash, object);
    }
  });

  test("every tree has its root, and every leaf opens at its index alone", async () => {
    for (const { leaves, root, openings } of vectors.merkle.trees) {
      const hashes = bytesOf(leaves);
      assert.equal(u8aToHex(await proof().root(hashes)), root);
      for (const { index, path } of openings) {
        for (const other of new Set([0, index - 1, index, index + 1, hashes.length])) {
          if (other < 0) continue;
          const opened = await proof().opens(hexToU8a(root), hashes.length, other, hashes[index]!, bytesOf(path));
          assert.equal(opened, other === index, `leaf ${index} of ${hashes.length} at ${other}`);
        }
      }
    }
  });

  test("every forged opening is refused", async () => {
    assert.ok(vectors.merkle.refused.length >= 4);
    for (const { name, count, root, index, leaf, path } of vectors.merkle.refused) {
      assert.ok(!(await proof().opens(hexToU8a(root), count, index, hexToU8a(leaf), bytesOf(path))), name);
    }
  });

  test("records and responses are committed chunk by chunk", async () => {
    const { content, response } = vectors;
    assert.equal(u8aToHex(await proof().contentRoot(hexToU8a(content.bytes))), content.root);
    const root = await proof().responseRoot(hexToU8a(response.bytes), hexToU8a(response.secret));
    assert.equal(u8aToHex(root), response.root);
  });

  test("the text rule names the same defect", async () => {
    for (const { bytes, defect } of vectors.texts) {
      assert.equal(await proof().textDefect(hexToU8a(bytes)), defect, bytes);
    }
  });

  test("scores and eligibility are the same integers", async () => {
    for (const vector of vectors.scores.cases) {
      const [row, query, floor] = scored(vector);
      const score = await proof().creditScore(query, row, floor);
      assert.equal(score === null ? null : String(score), vector.score);
    }
    const { dimension, q, g, scale, score } = vectors.scores.largest;
    const row = { Own: { scale, g: Array<number>(dimension).fill(g) } };
    const largest = await proof().creditScore(Array<number>(dimension).fill(q), row, [1, 400]);
    assert.equal(String(largest), score);
  });

  test("money is split to the last unit", async () => {
    const { apportion, rule, splits, receipt } = vectors.money;
    for (const { amount, weights, parts } of apportion) {
      assert.deepEqual((await proof().apportion(BigInt(amount), weights.map(BigInt))).map(String), parts);
    }
    for (const { before: from, after: to, ...expected } of splits) {
      const split: Split = await proof().split(rule, BigInt(from), BigInt(to));
      assert.equal(sum(Object.values(split)), BigInt(to) - BigInt(from));
      for (const [name, value] of Object.entries(split)) {
        assert.equal(String(value), expected[name as keyof SplitRule], name);
      }
    }

    const lengths = receipt.spans.map((length) => BigInt(Math.min(length, receipt["span weight cap"])));
    const mix = BigInt(receipt["influence mix"]);
    const weights = [
      ...(await proof().apportion(mix, receipt.scores.map(BigInt))),
      ...(await proof().apportion(1_000_000_000n - mix, lengths)),
    ];
    assert.deepEqual(weights.map(String), receipt.weights);

    const owners = [...new Set(receipt.owners)].sort((a, b) => a - b);
    const perOwner = owners.map((owner) => sum(weights.filter((_, at) => receipt.owners[at] === owner)));
    const { builder, data } = await proof().split(rule, 0n, BigInt(receipt.price));
    const amounts = [builder, ...(await proof().apportion(data, perOwner))];
    const payees = [Uint8Array.of(1), ...owners.map((owner) => u8aConcat(Uint8Array.of(2), littleEndian(owner, 8)))];
    const paid = payees.map((payee, at) => ({ payee, amount: amounts[at]! })).filter(({ amount }) => amount > 0n);
    assert.deepEqual(
      paid.map(({ payee, amount }) => ({ payee: u8aToHex(payee), amount: String(amount) })),
      receipt.totals.map(({ payee, amount }) => ({ payee, amount })),
    );
    const leaves = paid.map(({ payee, amount }, index) => {
      const model = littleEndian(receipt.totals[index]!.model, 4);
      return proof().objectHash("Total", u8aConcat(littleEndian(index, 4), model, payee, littleEndian(amount, 16)));
    });
    assert.equal(u8aToHex(await proof().root(await Promise.all(leaves))), receipt["totals root"]);
  });

  test("a voucher is signed raw or in the wallets' wrapper", async () => {
    const { voucher } = vectors;
    const [payload, signer, raw, inWrapper] = bytesOf([
      voucher.payload,
      voucher.signer,
      voucher.signature,
      voucher["wrapped signature"],
    ]) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    assert.equal(u8aToHex(wrapped(payload)), voucher.wrapped);
    assert.ok(await proof().isSigned(payload, raw, signer));
    assert.ok(await proof().isSigned(payload, inWrapper, signer));
    assert.ok(!(await proof().isSigned(payload.map((byte) => byte ^ 1), raw, signer)));
    assert.ok(!(await proof().isSigned(wrapped(payload), raw, signer)));
  });
}

describe("conformance vectors in TypeScript", () => {
  before(cryptoWaitReady);
  conforms(() => ownProof);

  test("products and norms, which a score is made of, are the same integers", () => {
    const squares = (values: number[]): string => String(sum(values.map((value) => BigInt(value) ** 2n)));
    for (const vector of vectors.scores.cases) {
      if (vector.row !== undefined) continue;
      const { q, g, dot, norms } = vector;
      assert.equal(String(sum(q.map((value, at) => BigInt(value) * BigInt(g[at]!)))), dot);
      assert.deepEqual([squares(q), squares(g)], norms);
    }
  });
});

describe("conformance vectors in the chain's Wasm", { timeout: 300_000 }, () => {
  let proof: Proof;
  withChain(({ api }) => (proof = chainProof(api)));
  conforms(() => proof);
});
