// The demonstration's data: crates from the local cargo registry, each with its authors, its licence
// and its own text. `cargo metadata` says where they are.

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
/** Crates by Datanet. All come with any build of OpenLedger; no two have the same first author. */
const DATANETS = {
  "Text and encodings": ["hex", "strsim", "percent-encoding", "base64", "httparse", "itoa", "byteorder"],
  "Collections and hashes": ["slab", "smallvec", "fnv", "lru", "siphasher", "bit-set", "tinyvec"],
};
/** Bytes of each crate that are contributed: its README, then its sources. */
const BYTES_PER_CRATE = 10_000;
/** Longest record: influence finds owners better by these than by longer ones (docs/tracing.md). */
const RECORD_BYTES = 1_024;
/** Shorter records may be copied by anybody, so none are made. */
const LEAST_RECORD_BYTES = 256;
/** Deep indentation: a small model learns little else from it, and its spans would be anybody's. */
const BLANKS = " ".repeat(16);
/** Folders of a crate that are not the crate itself. */
const OTHER_FOLDERS = ["benches", "examples", "fuzz", "scripts", "tests"];
/** Licences that ask for nothing, not even for a name. */
const PUBLIC_DOMAIN = ["0BSD", "CC0-1.0", "MIT-0", "Unlicense", "Zlib"];

/** All packages that OpenLedger is built of, newest version of each name. */
function packages() {
  const { status, stdout, stderr } = spawnSync("cargo", ["metadata", "--format-version", "1", "--locked"], {
    cwd: REPOSITORY,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`cargo metadata failed; run scripts/setup.sh first: ${stderr}`);
  const found = new Map();
  const newer = (left, right) => left.localeCompare(right, "en", { numeric: true }) > 0;
  for (const entry of JSON.parse(stdout).packages) {
    const known = found.get(entry.name);
    if (known === undefined || newer(entry.version, known.version)) found.set(entry.name, entry);
  }
  return found;
}

/** The files of a crate that are text of its own: README first, then sources by name. */
function texts(folder) {
  const files = [];
  const walk = (at) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) OTHER_FOLDERS.includes(entry.name) || walk(path);
      else if (entry.name.endsWith(".rs")) files.push(path);
    }
  };
  walk(folder);
  const readme = readdirSync(folder).filter((name) => /^readme\.md$/i.test(name));
  return [...readme.map((name) => join(folder, name)), ...files.sort()];
}

/** Text that fits the text rule: line ends are \n, and no blanks stand before them. */
const clean = (text) => `${text.replaceAll("\r\n", "\n").replaceAll(/[ \t]+$/gm, "").trim()}\n`;

/** Cuts text at line ends into records of about the same size, none above the longest. */
export function cut(text) {
  const size = Buffer.byteLength(text);
  const wanted = size / Math.ceil(size / RECORD_BYTES);
  const records = [];
  let [record, bytes] = ["", 0];
  for (const line of text.split(/(?<=\n)/)) {
    const more = Buffer.byteLength(line);
    if (bytes > 0 && (bytes + more / 2 > wanted || bytes + more > RECORD_BYTES)) {
      records.push(record);
      [record, bytes] = ["", 0];
    }
    // Blank lines would make records of nothing at their beginning.
    if (bytes > 0 || line !== "\n") [record, bytes] = [record + line, bytes + more];
  }
  records.push(record);
  const isUseful = (each) => Buffer.byteLength(each) >= LEAST_RECORD_BYTES && !each.includes(BLANKS);
  return records.map((each) => clean(each)).filter(isUseful);
}

/** What a licence allows: the best of its alternatives. */
function terms(spdx) {
  const names = spdx.split(/ OR |\/| AND |[()]/).map((name) => name.trim());
  return {
    derivatives: true,
    commercial: true,
    shareAlike: false,
    attribution: !names.some((name) => PUBLIC_DOMAIN.includes(name)),
  };
}

/**
 * The crates of the demonstration.
 *
 * @returns {{datanet: string, name: string, version: string, owner: string, licence: {spdx: string,
 *   terms: object}, records: string[], sources: string[]}[]} with at least one record each
 */
export function crates() {
  const known = packages();
  return Object.entries(DATANETS).flatMap(([datanet, names]) =>
    names.map((name) => {
      const entry = known.get(name);
      if (!entry?.authors.length) throw new Error(`crate ${name} is not in Cargo.lock with authors; choose another in demo/crates.mjs`);
      const folder = dirname(entry.manifest_path);
      const records = [];
      const sources = [];
      let bytes = 0;
      for (const path of texts(folder)) {
        for (const record of cut(clean(readFileSync(path, "utf8")))) {
          if (bytes + Buffer.byteLength(record) > BYTES_PER_CRATE) continue;
          bytes += Buffer.byteLength(record);
          records.push(record);
          sources.push(relative(folder, path));
        }
      }
      const owner = entry.authors[0].replace(/\s*<.*>$/, "");
      const spdx = entry.license.replaceAll("/", " OR ").replaceAll(/ +/g, " ");
      return {
        datanet,
        name,
        version: entry.version,
        owner,
        licence: { spdx, terms: terms(spdx) },
        records,
        sources,
      };
    }),
  );
}
