// What is monitored: the figures that alerts and dashboard ask for, and a Prometheus that asks for them.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { freePort } from "./client.mjs";
import { startProcess } from "./worker.mjs";

const OPS = fileURLToPath(new URL("../../ops", import.meta.url));
const ALERTS = join(OPS, "prometheus", "alerts.yml");
const PATIENCE_MILLISECONDS = 60_000;
/** Names of figures in expressions. */
export const FIGURE_NAME = /\b(?:substrate|openledger|node)_\w*[a-zA-Z0-9]\b/g;

/** Every value of a field, wherever it stands in JSON. */
function fields(value, name) {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key === name && typeof member === "string" ? [member] : []),
    ...fields(member, name),
  ]);
}

/** The dashboard's expressions, with all of what its variables choose from. */
export function dashboardExpressions() {
  const dashboard = JSON.parse(readFileSync(join(OPS, "grafana", "openledger.json"), "utf8"));
  return fields(dashboard, "expr").map((expression) => expression.replace(/\$\w+/g, ".*"));
}

/** The names of all figures that alerts and dashboard ask for. */
export function askedFor() {
  const dashboard = readFileSync(join(OPS, "grafana", "openledger.json"), "utf8");
  const alerts = readFileSync(ALERTS, "utf8").replace(/^\s*#.*$/gm, "");
  return [...new Set(`${dashboard}\n${alerts}`.match(FIGURE_NAME))].sort();
}

/** Those of `names` that none of the texts, as `/metrics` gives them, has; neither as a value nor as a kind. */
export function missing(names, texts) {
  const lines = texts.flatMap((text) => text.split("\n"));
  const known = new Set();
  for (const line of lines) {
    const [, kind, counter] = /^# TYPE (\S+) (counter)?/.exec(line) ?? [];
    if (kind === undefined) known.add(/^[^\s{#]*/.exec(line)[0]);
    // OpenMetrics, which the worker writes, leaves the ending of counters to their values.
    else known.add(kind).add(counter ? `${kind}_total` : kind);
  }
  return names.filter((name) => !known.has(name));
}

/**
 * Starts a Prometheus on ops/prometheus/prometheus.yml, with the rules beside it, and ends it with this process.
 *
 * @param {string} binary its program
 * @param {string} folder where its database and the configuration go
 * @param {Record<string, string[]>} targets by the name of the job in the configuration, the addresses to ask
 * @returns {Promise<{query: (expression: string) => Promise<object[]>, rules: () => Promise<object[]>,
 *   end: () => Promise<void>}>} asks it for the values of an expression and for its rules, and ends it
 */
export async function startPrometheus(binary, folder, targets) {
  let configuration = readFileSync(join(OPS, "prometheus", "prometheus.yml"), "utf8");
  for (const [job, addresses] of Object.entries(targets)) {
    const replaced = configuration.replace(
      new RegExp(`(job_name: ${job}\n\\s*static_configs:\n\\s*- targets: )\\[.*\\]`),
      (_, before) => before + JSON.stringify(addresses),
    );
    if (replaced === configuration) throw new Error(`prometheus.yml has no job ${job} with targets`);
    configuration = replaced;
  }
  // So that a minute is enough to see something.
  configuration = configuration.replace(/(scrape|evaluation)_interval: \w+/g, "$1_interval: 2s");
  configuration = configuration.replace("- alerts.yml", `- ${ALERTS}`);
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, configuration);

  const address = `127.0.0.1:${await freePort()}`;
  const { seen, kill, ended } = startProcess(binary, [
    ...["--config.file", file, "--storage.tsdb.path", join(folder, "prometheus")],
    ...["--web.listen-address", address],
  ]);
  await seen(/Server is ready/);
  const get = async (path) => {
    const response = await Promise.race([fetch(`http://${address}/api/v1/${path}`), ended]);
    const { status, data, error } = await response.json();
    if (status !== "success") throw new Error(`Prometheus refuses ${decodeURIComponent(path)}: ${error}`);
    return data;
  };
  return {
    query: async (expression) => (await get(`query?query=${encodeURIComponent(expression)}`)).result,
    rules: async () => (await get("rules")).groups.flatMap((group) => group.rules),
    end: kill,
  };
}

/** Asks again and again until `read` gives something true, and returns it. */
export async function eventually(what, read, milliseconds = PATIENCE_MILLISECONDS) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = await read();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${milliseconds / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
