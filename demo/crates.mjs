// The demonstration's data: crates from the local cargo registry, each with its authors, its licence
// and its own text. `cargo metadata` says where they are.

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
/**
 * Crates by Datanet, bytes of each that are contributed, and from which files, README first. All come with
 * any build of OpenLedger; no two have the same first author. An adapter learns the few pages of the second
 * by heart and quotes them; of the first it learns the style.
 */
export const DATANETS = {
  "Rust sources": {
    names: ["hex", "strsim", "percent-encoding", "httparse", "itoa", "fnv", "lru"],
    bytes: 10_000,
    files: /\.(md|rs)$/,
  },
  "First pages": {
    names: ["slab", "smallvec", "siphasher", "byteorder", "tinyvec", "slotmap", "cobs"],
    bytes: 1_300,
    files: /\.md$/,
  },
};
/** Longest record: influence finds owners better by these than by longer ones (docs/tracing.md). */
const RECORD_BYTES = 1_024;
/** Shorter records may be copied by anybody, so none are made. */
const LEAST_RECORD_BYTES = 256;
/** Deep indentation: a small model learns little else from it, and its spans would be anybody's. */
const BLANKS = " ".repeat(16);
/** Lines of a README that are badges or addresses, not prose. */
const BADGES = /^(\[?!\[.*|\[[^\]]+\]: \S+)\n/gm;
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
function texts(folder, wanted) {
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
  return [...readme.map((name) => join(folder, name)), ...files.sort()].filter((path) => wanted.test(path));
}

/** Text that fits the text rule: line ends are \n, no blanks stand before them; no badges, no gaps. */
const clean = (text) => `${text.replaceAll("\r\n", "\n").replaceAll(/[ \t]+$/gm, "").replaceAll(BADGES, "").replaceAll(/\n{3,}/g, "\n\n").trim()}\n`;

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
  return Object.entries(DATANETS).flatMap(([datanet, { names, bytes: most, files }]) =>
    names.map((name) => {
      const entry = known.get(name);
      if (!entry?.authors.length) throw new Error(`crate ${name} is not in Cargo.lock with authors; choose another in demo/crates.mjs`);
      const folder = dirname(entry.manifest_path);
      const records = [];
      const sources = [];
      let bytes = 0;
      for (const path of texts(folder, files)) {
        for (const record of cut(clean(readFileSync(path, "utf8")))) {
          if (bytes + Buffer.byteLength(record) > most) continue;
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
