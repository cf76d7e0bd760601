// Specifications of chains that are no preset.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Keyring } from "@polkadot/api";
import { cryptoWaitReady } from "@polkadot/util-crypto";

import { exportSpecification } from "./node.mjs";

/** Whole numbers, outside texts, that JavaScript's own cannot hold exactly: amounts of OPEN. */
const AMOUNT = /(?<=[[:,]\s*)\d{16,}(?=\s*[,\]}])/g;

/** Reads JSON with amounts as BigInt. */
function parse(text) {
  const revive = (_, value) => (typeof value === "string" && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value);
  return JSON.parse(text.replace(AMOUNT, '"$&n"'), revive);
}

/** Writes JSON with BigInts as numbers. */
function print(value) {
  const replace = (_, member) => (typeof member === "bigint" ? `${member}n` : member);
  return JSON.stringify(value, replace, 2).replace(/"(\d+)n"/g, "$1");
}

/**
 * Writes the specification of a chain with another genesis.
 *
 * @param {string} chain the preset that it is made from
 * @param {string} file where it goes
 * @param {(genesis: {code: string, patch: object}) => void} change changes the runtime, hexadecimal, or what the
 *   preset gives its pallets; amounts are BigInts there
 */
export function changeSpecification(chain, file, change) {
  exportSpecification(chain, file);
  const specification = parse(readFileSync(file, "utf8"));
  change(specification.genesis.runtimeGenesis);
  writeFileSync(file, print(specification));
}

function useRuntime(genesis, runtime) {
  if (runtime !== undefined) genesis.code = `0x${readFileSync(runtime, "hex")}`;
}

/**
 * Writes the specification of a chain like preset `local`, of three validators.
 *
 * @param {string} folder where it goes
 * @param {string} [runtime] a file with the Wasm of another runtime than the node's
 * @returns {string} the file
 */
export function threeValidators(folder, runtime) {
  const plain = join(folder, "three-validators.json");
  const raw = join(folder, "three-validators-raw.json");
  changeSpecification("local", plain, (genesis) => useRuntime(genesis, runtime));
  exportSpecification(plain, raw, "--raw");
  return raw;
}

/**
 * Writes the specification of a chain like preset `local`, but with Dave as a fourth validator. Three need all
 * three votes for finality; of four, one may be faulty.
 *
 * @param {string} folder where it goes
 * @param {string} [runtime] a file with the Wasm of another runtime than the node's
 * @param {(patch: object) => void} [more] changes what else the preset gives its pallets
 * @returns {Promise<string>} the file
 */
export async function fourValidators(folder, runtime, more) {
  await cryptoWaitReady();
  const plain = join(folder, "four-validators.json");
  const raw = join(folder, "four-validators-raw.json");
  // The runtime, which reads them, takes addresses of any chain but knows no prefix of its own.
  const address = (type) => new Keyring({ type }).addFromUri("//Dave").address;
  const dave = address("sr25519");
  changeSpecification("local", plain, (genesis) => {
    useRuntime(genesis, runtime);
    const { session, staking } = genesis.patch;
    const [, , stake, status] = staking.stakers[0];
    session.keys.push([dave, dave, { babe: dave, grandpa: address("ed25519"), authority_discovery: dave }]);
    staking.stakers.push([dave, dave, stake, status]);
    staking.validatorCount = staking.stakers.length;
    more?.(genesis.patch);
  });
  exportSpecification(plain, raw, "--raw");
  return raw;
}
