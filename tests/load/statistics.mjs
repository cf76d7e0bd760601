// Sums up series of figures.

/** The value below which a part of the values lie, such as 0.5 for the median. */
export function quantile(values, part) {
  if (values.length === 0) throw new Error("no values to take a quantile of");
  const sorted = [...values].sort((left, right) => left - right);
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

export const median = (values) => quantile(values, 0.5);

/** The slope of the line that fits the points `[x, y]` best, by least squares. */
export function slope(points) {
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const both = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const square = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (square === 0) throw new Error(`${points.length} points at one place have no slope`);
  return both / square;
}

/** How often each value occurs, such as `0: 3, 1: 17`. */
export function distribution(values) {
  const counts = new Map();
  for (const value of [...values].sort((left, right) => left - right)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${value}: ${count}`).join(", ");
}

/**
 * Draws the points `[x, y]` as text, y from below to above.
 *
 * @param {[number, number][]} points in the order of x
 * @param {string} unit of y
 */
export function chart(points, unit, { columns = 72, rows = 10 } = {}) {
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  const ys = points.map(([, y]) => y);
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  const place = (value, from, to, cells) => Math.min(cells - 1, Math.floor(((value - from) / (to - from || 1)) * cells));
  const cells = Array.from({ length: rows }, () => Array(columns).fill(" "));
  for (const [x, y] of points) cells[rows - 1 - place(y, low, high, rows)][place(x, first, last, columns)] = "·";
  const label = (row) => (row === 0 ? high.toFixed(0) : row === rows - 1 ? low.toFixed(0) : "").padStart(8);
  return cells.map((line, row) => `${label(row)} ${row === 0 ? unit.padEnd(3) : "   "}│${line.join("")}`).join("\n");
}
