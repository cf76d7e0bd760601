// Who takes part, what everybody owns, and what happened in between.

import { account, eventName } from "../tests/polkadot-js/client.mjs";

/** Every account of the chain at a block, in base units: what it owns in all, and how much of it is on hold. */
export async function balancesAt(api, blockHash) {
  const at = await api.at(blockHash);
  const entries = await at.query.system.account.entries();
  const owned = new Map();
  for (const [key, { data }] of entries) {
    const held = data.reserved.toBigInt();
    owned.set(key.args[0].toString(), { total: data.free.toBigInt() + held, held });
  }
  const issuance = (await at.query.balances.totalIssuance()).toBigInt();
  return { owned, issuance };
}

/** The sum of all balances. */
export function sum({ owned }) {
  return [...owned.values()].reduce((total, { total: each }) => total + each, 0n);
}

/** Every event of our pallets from block `first` to `last`. */
export async function eventsBetween(api, first, last) {
  const ours = ["datanets", "models", "compute", "channels", "attribution"];
  const found = [];
  for (let number = first; number <= last; number += 1) {
    const events = await api.query.system.events.at(await api.rpc.chain.getBlockHash(number));
    for (const record of events) {
      const { section, data } = record.event;
      if (ours.includes(section)) found.push({ block: number, name: eventName(record), data: data.toHuman() });
    }
  }
  return found;
}

/** An account with the name that people know it by. */
export class Person {
  constructor(name, role, secret = `//${name}`) {
    this.name = name;
    this.role = role;
    this.secret = secret;
    this.pair = account(secret);
    this.address = this.pair.address;
  }
}
