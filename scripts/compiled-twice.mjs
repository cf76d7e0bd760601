// Lists the crates from the registry that one build compiled more than once, those of the SDK by name.
//
//   node scripts/compiled-twice.mjs MESSAGES TIMINGS
//
// MESSAGES: what `cargo build --message-format=json-render-diagnostics` wrote. TIMINGS: the folder of
// `cargo build --timings`; crates that were up to date have no time there.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const SDK = /^(sc|sp|frame|pallet|substrate|polkadot|cumulus|staging|bp|fork-tree|mmr)-/;

/** The library artefacts of the build: for each registry package, the distinct files that hold it. */
function librariesByPackage(messages) {
  const packages = new Map();
  for (const line of messages.split("\n").filter(Boolean)) {
    const message = JSON.parse(line);
    if (message.reason !== "compiler-artifact" || !message.package_id.startsWith("registry+")) continue;
    const file = message.filenames.find((name) => /\.(rlib|rmeta|so)$/.test(name));
    if (file === undefined) continue;
    const files = packages.get(message.package_id) ?? new Set();
    packages.set(message.package_id, files.add(file));
  }
  return packages;
}

/** Seconds of compilation by `name version`, a list of one entry per time it was compiled. */
function secondsByCrate(folder) {
  const seconds = new Map();
  for (const report of readdirSync(folder).filter((name) => /^cargo-timing-.*\.html$/.test(name))) {
    const data = /const UNIT_DATA = (\[.*?\]);/s.exec(readFileSync(join(folder, report), "utf8"));
    if (data === null) throw new Error(`${report} holds no UNIT_DATA: the format of cargo's timings has changed`);
    for (const unit of JSON.parse(data[1])) {
      if (unit.target.includes("build-script")) continue;
      const crate = `${unit.name} ${unit.version}`;
      seconds.set(crate, [...(seconds.get(crate) ?? []), unit.duration]);
    }
  }
  return seconds;
}

const [messagesPath, timingsPath] = process.argv.slice(2);
const seconds = secondsByCrate(timingsPath);
const repeated = [...librariesByPackage(readFileSync(messagesPath, "utf8"))].filter(([, files]) => files.size > 1);
const ofSdk = [];
let others = 0;
for (const [identity] of repeated) {
  const [name, version] = identity.slice(identity.indexOf("#") + 1).split("@");
  if (SDK.test(name)) {
    const again = (seconds.get(`${name} ${version}`) ?? []).sort((a, b) => b - a).slice(1);
    const minutes = again.reduce((sum, next) => sum + next, 0) / 60;
    ofSdk.push(`${name} ${version} (${minutes.toFixed(2)} min)`);
  } else {
    others += 1;
  }
}
console.log(`SDK crates compiled twice: ${ofSdk.length === 0 ? "none" : ofSdk.join(", ")}`);
console.log(`other crates compiled twice, for build tools and for the program: ${others}`);
