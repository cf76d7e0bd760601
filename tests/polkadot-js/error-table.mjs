// The table of errors in docs/errors.md, and the tally of its rows that were seen.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const DOCUMENT = new URL("../../docs/errors.md", import.meta.url);

/** What a crash prints. */
const CRASH = /panicked|RUST_BACKTRACE|stack backtrace|memory allocation of/;

/** The parts of a cell that stand in `code`. */
const quoted = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text);

function readRows() {
  const rows = new Map();
  for (const line of readFileSync(DOCUMENT, "utf8").split("\n")) {
    if (!line.startsWith("| `")) continue;
    const cells = line.split("|").map((cell) => cell.trim());
    assert.equal(cells.length, 6, `a row of docs/errors.md has not four cells: ${line}`);
    const [, name, , seen, advice] = cells;
    const [id] = quoted(name);
    assert.ok(!rows.has(id), `docs/errors.md has two rows ${id}`);
    assert.ok(quoted(seen).length > 0 && advice !== "", `row ${id} of docs/errors.md quotes nothing or has no advice`);
    rows.set(id, quoted(seen));
  }
  return rows;
}

/** Checks messages against the table and remembers which rows were seen. */
export class ErrorTable {
  #rows = readRows();
  #left = new Set(this.#rows.keys());

  /** Asserts that `message` holds everything that row `id` quotes. */
  expect(id, message) {
    const texts = this.#rows.get(id);
    assert.ok(texts !== undefined, `docs/errors.md has no row ${id}`);
    for (const text of texts) assert.ok(message.includes(text), `${id}: "${text}" is not in: ${message}`);
    assert.doesNotMatch(message, CRASH, id);
    this.#left.delete(id);
  }

  /** Excuses rows that this machine cannot provoke. */
  excuse(...ids) {
    for (const id of ids) this.#left.delete(id);
  }

  /** Rows that nobody has provoked yet. */
  get left() {
    return [...this.#left];
  }
}
