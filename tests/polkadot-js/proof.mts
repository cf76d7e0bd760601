// What the protocol computes, twice: by an implementation that shares no line with the chain's, and by
// the Wasm runtime of a running node. vectors.test.mts holds both against the same vectors.

import type { ApiPromise } from "@polkadot/api";
import { u8aConcat, u8aEq, u8aToHex } from "@polkadot/util";
import { blake2AsU8a, sr25519Verify } from "@polkadot/util-crypto";

/** First byte of every preimage, by the names that the chain's metadata gives. */
export const TAG = {
  Node: 0x01,
  Chunk: 0x02,
  RecordCommit: 0x03,
  RecordLeaf: 0x04,
  Snapshot: 0x05,
  TranscriptStart: 0x06,
  TranscriptStep: 0x07,
  TranscriptLeaf: 0x08,
  Row: 0x09,
  Query: 0x0a,
  ResponseChunk: 0x0b,
  ResponseSalt: 0x0c,
  Receipt: 0x0d,
  Total: 0x0e,
  Voucher: 0x0f,
  Request: 0x10,
  CooperativeClose: 0x11,
} as const;
export type Tag = keyof typeof TAG;

const VERSION = 1;
const CHUNK_BYTES = 1_024;
const BILLION = 1_000_000_000n;

/** Shares in parts per billion; they add up to a billion. */
export interface SplitRule {
  operator: number;
  builder: number;
  data: number;
  stakers: number;
  treasury: number;
}

/** Who gets how many base units. */
export type Split = Record<keyof SplitRule, bigint>;

/** A row of an influence index: a gradient of its own, the number of an equal row before it, or nothing. */
export type Row = { Own: { scale: number; g: number[] } } | { DuplicateOf: number } | "Absent";

/** An implementation of the protocol. Hashes have 32 bytes, money is in base units. */
export interface Proof {
  /** BLAKE2b-256 of tag, version and body. */
  objectHash(tag: Tag, body: Uint8Array): Promise<Uint8Array>;
  /** The Merkle root over hashed leaves; zero when there are none. */
  root(leaves: Uint8Array[]): Promise<Uint8Array>;
  /** Whether `path` leads from leaf `index` of `count` to `root`, at exactly the length that implies. */
  opens(root: Uint8Array, count: number, index: number, leaf: Uint8Array, path: Uint8Array[]): Promise<boolean>;
  /** The root over a record's chunks. */
  contentRoot(record: Uint8Array): Promise<Uint8Array>;
  /** The root over a response's chunks, salted from its secret. */
  responseRoot(response: Uint8Array, secret: Uint8Array): Promise<Uint8Array>;
  /** The name of what is wrong with a text record. */
  textDefect(record: Uint8Array): Promise<string | null>;
  /** The score that a row earns, or nothing below the floor, a ratio of squares. */
  creditScore(query: number[], row: Row, floor: [number, number]): Promise<bigint | null>;
  /** Splits `amount` by `weights` with largest remainders. */
  apportion(amount: bigint, weights: bigint[]): Promise<bigint[]>;
  /** Splits what a channel paid between two of its cumulative amounts. */
  split(rule: SplitRule, before: bigint, after: bigint): Promise<Split>;
  /** Whether an sr25519 key signed the bytes, raw or in the wrapper that wallets put around messages. */
  isSigned(bytes: Uint8Array, signature: Uint8Array, signer: Uint8Array): Promise<boolean>;
}

export function littleEndian(value: bigint | number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
}

export const sum = (values: bigint[]): bigint => values.reduce((total, value) => total + value, 0n);

/** The bytes as wallets sign them. */
export const wrapped = (bytes: Uint8Array): Uint8Array => u8aConcat("<Bytes>", bytes, "</Bytes>");

/** SCALE's compact length of a byte string shorter than 2^14. */
function scaleBytes(bytes: Uint8Array): Uint8Array {
  const prefix = bytes.length < 64 ? littleEndian(bytes.length << 2, 1) : littleEndian((bytes.length << 2) | 1, 2);
  return u8aConcat(prefix, bytes);
}

function chunks(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / CHUNK_BYTES);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES));
}

const hash = (tag: Tag, ...parts: Uint8Array[]): Uint8Array =>
  blake2AsU8a(u8aConcat(Uint8Array.of(TAG[tag], VERSION), ...parts), 256);
const node = (left: Uint8Array, right: Uint8Array): Uint8Array => hash("Node", left, right);

function rootOf(leaves: Uint8Array[]): Uint8Array {
  let level = leaves;
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = level.slice(at, at + 2);
      next.push(right === undefined ? left! : node(left!, right));
    }
    level = next;
  }
  return level[0] ?? new Uint8Array(32);
}

/** Written from the protocol's description, in TypeScript. */
export const ownProof: Proof = {
  async objectHash(tag, body) {
    return hash(tag, body);
  },

  async root(leaves) {
    return rootOf(leaves);
  },

  async opens(root, count, index, leaf, path) {
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
    return used === path.length && u8aEq(reached, root);
  },

  async contentRoot(record) {
    return rootOf(chunks(record).map((data, index) => hash("Chunk", littleEndian(index, 4), scaleBytes(data))));
  },

  async responseRoot(response, secret) {
    const leaves = chunks(response).map((data, index) => {
      const position = littleEndian(index, 4);
      return hash("ResponseChunk", position, hash("ResponseSalt", secret, position), scaleBytes(data));
    });
    return rootOf(leaves);
  },

  async textDefect(record) {
    if (record.length === 0) return "Length";
    if (record.some((byte) => byte === 0x0d || byte === 0)) return "ControlCharacter";
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(record);
    } catch {
      return "NotUtf8";
    }
    return /[ \t](\n|$)/.test(text) ? "TrailingBlank" : null;
  },

  async creditScore(query, row, floor) {
    if (row === "Absent" || "DuplicateOf" in row) return null;
    const { scale, g } = row.Own;
    const product = sum(query.map((value, at) => BigInt(value) * BigInt(g[at] ?? 0)));
    const [queryNorm, rowNorm] = [query, g].map((values) => sum(values.map((value) => BigInt(value) ** 2n)));
    const [numerator, denominator] = floor.map(BigInt);
    const eligible = product > 0n && product * product * denominator! >= numerator! * queryNorm! * rowNorm!;
    return eligible ? BigInt(scale) * product : null;
  },

  async apportion(amount, weights) {
    const whole = sum(weights);
    if (whole === 0n) return weights.map(() => 0n);
    const parts = weights.map((weight) => (amount * weight) / whole);
    const order = weights
      .map((weight, position) => ({ rest: (amount * weight) % whole, position }))
      .sort((a, b) => (a.rest === b.rest ? a.position - b.position : a.rest > b.rest ? -1 : 1));
    const left = Number(amount - sum(parts));
    for (const { position } of order.slice(0, left)) parts[position]! += 1n;
    return parts;
  },

  async split(rule, before, after) {
    const share = (parts: number): bigint => (after * BigInt(parts)) / BILLION - (before * BigInt(parts)) / BILLION;
    const [data, builder] = [share(rule.data), share(rule.builder)];
    const rest = [rule.operator, rule.stakers, rule.treasury].map(BigInt);
    const [operator, stakers, treasury] = await this.apportion(after - before - data - builder, rest);
    return { operator: operator!, builder, data, stakers: stakers!, treasury: treasury! };
  },

  async isSigned(bytes, signature, signer) {
    return [bytes, wrapped(bytes)].some((message) => sr25519Verify(message, signature, signer));
  },
};

/** What polkadot.js decodes from the metadata, as far as it is read here. */
interface Decoded {
  toU8a(): Uint8Array;
  toBigInt(): bigint;
}
interface Commitment {
  root: Decoded;
}
interface Optional<Value> {
  isSome: boolean;
  unwrap(): Value;
}

/** What the runtime of the node behind `api` computes: the Wasm that validators execute. */
export function chainProof(api: ApiPromise): Proof {
  const call = async <Value,>(method: string, ...parameters: unknown[]): Promise<Value> =>
    (await api.call.proofApi![method]!(...parameters)) as Value;

  return {
    async objectHash(tag, body) {
      return (await call<Decoded>("objectHash", tag, u8aToHex(body))).toU8a();
    },

    async root(leaves) {
      return (await call<Commitment>("commitment", leaves)).root.toU8a();
    },

    async opens(root, count, index, leaf, path) {
      return (await call<{ isOk: boolean }>("verifyOpening", { root, count }, index, leaf, path)).isOk;
    },

    async contentRoot(record) {
      return (await call<Commitment>("contentCommitment", u8aToHex(record))).root.toU8a();
    },

    async responseRoot(response, secret) {
      return (await call<Commitment>("responseCommitment", u8aToHex(response), secret)).root.toU8a();
    },

    async textDefect(record) {
      const defect = await call<Optional<{ type: string }>>("textDefect", u8aToHex(record));
      return defect.isSome ? defect.unwrap().type : null;
    },

    async creditScore(query, row, [numerator, denominator]) {
      const score = await call<Optional<Decoded>>("creditScore", query, row, { numerator, denominator });
      return score.isSome ? score.unwrap().toBigInt() : null;
    },

    async apportion(amount, weights) {
      return (await call<Decoded[]>("apportion", amount, weights)).map((part) => part.toBigInt());
    },

    async split(rule, before, after) {
      const parts = await call<Record<keyof SplitRule, Decoded>>("split", rule, before, after);
      const names = ["operator", "builder", "data", "stakers", "treasury"] as const;
      return Object.fromEntries(names.map((name) => [name, parts[name].toBigInt()])) as Split;
    },

    async isSigned(message, signature, signer) {
      const sr25519 = { Sr25519: signature };
      return (await call<{ isTrue: boolean }>("isSigned", u8aToHex(message), sr25519, signer)).isTrue;
    },
  };
}
