// Starts and stops an OpenLedger node for one test file.

import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The node's log lines that an error message shows. */
const SHOWN_LINES = 40;

/** The node to test: OPENLEDGER_NODE, or what scripts/test.sh builds. */
export function nodeBinary() {
  if (process.env.OPENLEDGER_NODE) return process.env.OPENLEDGER_NODE;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "openledger");
  return join(process.env.CARGO_TARGET_DIR || join(cache, "target"), "release", "openledger-node");
}

/**
 * Starts a development chain in memory of its own and waits until it answers.
 *
 * Every port is given by the operating system, and peers are not looked for, so that any number of such
 * nodes run side by side. The node ends with `stop`, and also when this process ends in any way.
 *
 * @param {object} [options]
 * @param {string[]} [options.extraArguments] further arguments of the node
 * @param {number} [options.startMilliseconds] how long the node may take to answer (it compiles
 *   the runtime first: seconds, minutes on a machine that is busy)
 * @returns {Promise<{url: string, log: string[], stop: () => Promise<void>}>} the RPC address, the log
 *   lines so far (it grows), and the way to end the node
 */
export async function startNode({ extraArguments = [], startMilliseconds = 180_000 } = {}) {
  const binary = nodeBinary();
  const nodeArguments = [
    "--dev",
    "--tmp",
    ...["--rpc-port", "0"],
    ...["--port", "0"],
    "--reserved-only",
    "--no-prometheus",
    "--no-telemetry",
    ...extraArguments,
  ];
  // The kernel ends the node even when this process is killed without warning.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", binary, ...nodeArguments], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);

  const log = [];
  const exited = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `status ${code}`));
  });

  const stop = async () => {
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(kill);
    process.removeListener("exit", killAtExit);
  };

  const address = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        log.push(line);
        const found = /Running JSON-RPC server: addr=.*?127\.0\.0\.1:(\d+)/.exec(line);
        if (found !== null) resolve(`ws://127.0.0.1:${found[1]}`);
      });
    }
  });

  let timer;
  const problem = await Promise.race([
    address.then(() => null),
    exited.then((how) => `ended with ${how}`),
    new Promise((resolve) => {
      timer = setTimeout(() => resolve(`gave no RPC address within ${startMilliseconds} ms`), startMilliseconds);
    }),
  ]);
  clearTimeout(timer);
  if (problem !== null) {
    await stop();
    throw new Error(
      `${binary} ${problem}; build it with scripts/test.sh or name another in OPENLEDGER_NODE. ` +
        `Its last lines:\n${log.slice(-SHOWN_LINES).join("\n")}`,
    );
  }
  return { url: await address, log, stop };
}
