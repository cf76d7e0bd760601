// How the driver speaks, waits and counts.

/** Says what is being done, or found. */
export function say(text) {
  console.log(`   ${text}`);
}

/** A number with so many digits after the point; without one if there is none. */
export function fixed(number, digits = 0) {
  return number === null || number === undefined ? "-" : number.toFixed(digits);
}

/** Prints rows of texts in columns; the first row is the head. */
export function table(rows) {
  const texts = rows.map((row) => row.map(String));
  const widths = texts[0].map((_, column) => Math.max(...texts.map((row) => row[column].length)));
  const line = (row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join("  ");
  const [head, ...rest] = texts;
  console.log(
    ["", line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rest.map(line), ""]
      .map((text) => `   ${text}`)
      .join("\n"),
  );
}

export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** How often a condition is looked at. */
const POLL_MILLISECONDS = 200;

/**
 * Waits until a condition holds.
 *
 * @param {string} what what is waited for, for the message when it does not come
 * @param {number} seconds how long at most
 * @param {() => unknown} condition holds when it returns, or resolves to, something true
 * @returns what the condition returned
 */
export async function until(what, seconds, condition) {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await pause(POLL_MILLISECONDS);
  }
}

/** The value below which the share `part` of all values lies, by nearest rank; null for none. */
export function quantile(values, part) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

/** Fails with a message unless a condition holds. */
export function check(condition, message) {
  if (!condition) throw new Error(message);
}
