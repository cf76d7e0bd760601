// Runs the worker as an operator does: as processes of its own, in folders of the test.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

import { nodeBinary } from "./node.mjs";

/** Lines that an error message shows. */
const SHOWN_LINES = 30;

function workerBinary() {
  return process.env.OPENLEDGER_WORKER ?? join(dirname(nodeBinary()), "openledger-worker");
}

/** A folder that is removed when this process ends. */
export function scratchFolder() {
  const folder = mkdtempSync(join(tmpdir(), "openledger-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Without the settings of whoever runs the tests. */
function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OPENLEDGER_")));
}

/**
 * Runs a command of the worker to its end, whatever that is.
 *
 * @param {string[]} words the command
 * @param {object} [options]
 * @param {"pipe" | number} [options.stdout] where its results go
 * @param {string[]} [options.wrapper] a command that runs it, such as `prlimit` with its options
 * @returns {{status: number | null, signal: string | null, stdout: string, stderr: string}}
 */
export function attempt(words, { stdout = "pipe", wrapper = [] } = {}) {
  const [program, ...rest] = [...wrapper, workerBinary(), ...words];
  const result = spawnSync(program, rest, {
    encoding: "utf8",
    env: cleanEnvironment(),
    stdio: ["ignore", stdout, "pipe"],
  });
  if (result.error) throw result.error;
  return result;
}

/** The same as `attempt`, while other things go on. */
export async function attemptBeside(words) {
  const child = spawn(workerBinary(), words, { env: cleanEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
  const text = async (stream) => Buffer.concat(await stream.toArray()).toString();
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal }));
  });
  const [stdout, stderr, how] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { ...how, stdout, stderr };
}

function parsed(words, { status, stdout, stderr }) {
  if (status !== 0) throw new Error(`openledger-worker ${words.join(" ")} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Runs a command of the worker to its end and returns what it printed as JSON. */
export function work(...words) {
  return parsed(words, attempt(["--json", ...words]));
}

/** The same without holding up what else this process does. */
export async function workLater(...words) {
  return parsed(words, await attemptBeside(["--json", ...words]));
}

/**
 * Starts the dishonest operator, which settles one forged receipt.
 *
 * @returns {Promise<object>} what it printed: settlement, lie, the URL at which the receipt is shown, and
 *   `end`, which ends it
 */
export async function startForger(...words) {
  const binary = process.env.OPENLEDGER_FORGE ?? join(dirname(nodeBinary()), "examples", "forge");
  const { seen, kill } = startProcess(binary, words);
  return { ...JSON.parse(await seen(/^\{/)), end: kill };
}

/**
 * Starts a worker that runs until it is stopped, and ends with this process.
 *
 * @returns {{pid: number, log: string[], seen: (pattern: RegExp) => Promise<string>, ended: Promise<never>,
 *   kill: () => Promise<void>}} its process, its log lines (it grows), the first line that matches, what fails when it
 *   ends, and the way to end it without warning
 */
export function startWorker(...words) {
  return startProcess(workerBinary(), words);
}

/** The same for any program. */
export function startProcess(binary, words) {
  const child = spawn("setpriv", ["--pdeathsig", "KILL", binary, ...words], {
    env: cleanEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  const log = [];
  const waiting = new Set();
  const exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? `status ${code}`)));
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      log.push(line);
      for (const waiter of [...waiting]) waiter(line);
    });
  }
  const ended = exited.then((how) => {
    throw new Error(`${binary} ended with ${how}:\n${log.slice(-SHOWN_LINES).join("\n")}`);
  });
  // Nobody may be waiting when it ends.
  ended.catch(() => {});
  const line = (pattern) =>
    new Promise((resolve) => {
      const found = log.find((known) => pattern.test(known));
      if (found !== undefined) return resolve(found);
      const waiter = (next) => {
        if (!pattern.test(next)) return;
        waiting.delete(waiter);
        resolve(next);
      };
      waiting.add(waiter);
    });
  const seen = (pattern) => Promise.race([line(pattern), ended]);
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
    process.removeListener("exit", killAtExit);
  };
  return { pid: child.pid, log, seen, ended, kill };
}
