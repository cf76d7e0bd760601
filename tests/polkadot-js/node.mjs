// Starts and stops OpenLedger nodes: one for a test file, or the validators of a local chain.

import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { freePort } from "./client.mjs";

/** How long a node may take to answer. It compiles the runtime first: seconds, on a busy machine minutes. */
const START_MILLISECONDS = 180_000;
/** The node's log lines that an error message shows. */
const SHOWN_LINES = 40;

/** The node to test: OPENLEDGER_NODE, or what scripts/test.sh builds. */
export function nodeBinary() {
  if (process.env.OPENLEDGER_NODE) return process.env.OPENLEDGER_NODE;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "openledger");
  return join(process.env.CARGO_TARGET_DIR || join(cache, "target"), "release", "openledger-node");
}

/** Every port is given by the operating system, so that any number of nodes run side by side. */
const FREE_PORTS = ["--rpc-port", "0", "--port", "0", "--no-telemetry"];

/** No figures for Prometheus: their port cannot be given by the operating system. */
const UNMEASURED = ["--no-prometheus"];

/** What a node needs to reach others on this machine, and none but those that it is told of. */
export const LOCAL_PEERS = ["--no-mdns", "--allow-private-ip"];

/**
 * Starts a development chain of its own and waits until it answers. Peers are not looked for.
 * The node ends with `stop`, and also when this process ends in any way.
 *
 * @param {object} [options]
 * @param {boolean} [options.open] let other nodes connect to it
 * @param {string} [options.folder] where its database goes, to be there when the node has ended
 * @param {boolean} [options.figures] publish figures for Prometheus, at the address `figures` of the result
 * @param {string[]} [options.extraArguments] further arguments of the node
 * @param {number} [options.startMilliseconds] how long the node may take to answer
 * @returns {Promise<{url: string, pid: number, log: string[], ended: Promise<string>, stop: () => Promise<void>,
 *   kill: () => Promise<void>}>} the RPC address, the process, the log lines so far (it grows), how it ended once it
 *   has, and the ways to end the node: asked to, or without warning
 */
export async function startNode({
  open = false,
  folder,
  figures = false,
  extraArguments = [],
  startMilliseconds = START_MILLISECONDS,
} = {}) {
  const peers = open ? LOCAL_PEERS : ["--reserved-only"];
  const database = folder === undefined ? ["--tmp"] : ["--base-path", folder];
  const port = figures ? await freePort() : undefined;
  const published = figures ? ["--prometheus-port", String(port)] : UNMEASURED;
  const own = ["--dev", ...database, ...FREE_PORTS, ...published, ...peers, ...extraArguments];
  return { ...(await spawnNode(own, startMilliseconds)), figures: `http://127.0.0.1:${port}/metrics` };
}

/**
 * Starts a node that imports the development chain of another and makes no blocks.
 *
 * @param {string} folder where its database is, or goes
 * @param {string} [peer] the address at which the other listens; without it there is none to import from
 * @returns as `startNode`
 */
export function startImporter(folder, peer) {
  const own = ["--chain", "dev", "--base-path", folder, "--unsafe-force-node-key-generation"];
  const peers = peer === undefined ? ["--reserved-only"] : [...LOCAL_PEERS, "--bootnodes", peer];
  return spawnNode([...own, ...FREE_PORTS, ...UNMEASURED, ...peers]);
}

/**
 * Writes a chain's specification to a file.
 *
 * @param {string} chain a preset's name, such as `local`, or another specification
 * @param {string} file where it goes
 * @param {...string} more further arguments, such as `--raw`, which executes the runtime's genesis
 */
export function exportSpecification(chain, file, ...more) {
  const output = openSync(file, "w");
  const exported = spawnSync(nodeBinary(), ["export-chain-spec", "--chain", chain, ...more], {
    stdio: ["ignore", output, "pipe"],
    encoding: "utf8",
  });
  closeSync(output);
  if (exported.status !== 0) {
    throw new Error(`the specification of chain ${chain} cannot be made: ${exported.error?.message ?? exported.stderr}`);
  }
}

/**
 * Starts a validator with the development keys of `name`.
 *
 * @param {string} specification the chain's
 * @param {string} name whose keys, such as `alice`
 * @param {string} folder where its database and its network key are, or go
 * @param {...string} more further arguments, such as `--bootnodes`
 * @returns as `startNode`
 */
export function startValidator(specification, name, folder, ...more) {
  return spawnNode([
    ...["--chain", specification, "--base-path", folder, `--${name}`],
    ...["--unsafe-force-node-key-generation", ...LOCAL_PEERS, ...FREE_PORTS, ...UNMEASURED, ...more],
  ]);
}

/**
 * Starts the three validators of preset `local`, each with a folder of its own in `folder`.
 *
 * @param {string} folder where databases, keys and the chain's specification go
 * @returns as `startNode`, for each
 */
export async function startValidators(folder) {
  // Once, for all: making it executes the runtime.
  const specification = join(folder, "local.json");
  exportSpecification("local", specification, "--raw");
  const start = (name, ...more) => startValidator(specification, name, join(folder, name), ...more);
  const first = await start("alice");
  const others = ["--bootnodes", await peerAddress(first.url)];
  return [first, ...(await Promise.all(["bob", "charlie"].map((name) => start(name, ...others))))];
}

/** Asks the node at an RPC address. */
export async function ask(url, method, ...params) {
  const response = await fetch(url.replace("ws:", "http:"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error !== undefined) throw new Error(`${method} failed: ${error.message}`);
  return result;
}

/**
 * Where the node at an RPC address listens for peers on this machine. Its addresses come in any order, and some are
 * for browsers (WebRTC): nodes do not dial those.
 */
export async function peerAddress(url) {
  const addresses = await ask(url, "system_localListenAddresses");
  const found = addresses.find((address) => address.startsWith("/ip4/127.0.0.1/tcp/"));
  if (found === undefined) throw new Error(`the node listens nowhere on this machine: ${addresses.join(", ")}`);
  return found;
}

/**
 * Starts a node with these arguments and waits until it answers.
 *
 * @param {string[]} nodeArguments the arguments
 * @param {number} [startMilliseconds] how long the node may take to answer
 * @param {string[]} [wrapper] a command that becomes the node, such as `ip netns exec` with its options
 * @returns as `startNode`
 */
export async function spawnNode(nodeArguments, startMilliseconds = START_MILLISECONDS, wrapper = []) {
  const binary = nodeBinary();
  // The kernel ends the node even when this process is killed without warning.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...wrapper, binary, ...nodeArguments], {
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
    const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(patience);
    process.removeListener("exit", killAtExit);
  };
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
    process.removeListener("exit", killAtExit);
  };

  const address = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        log.push(line);
        const found = /Running JSON-RPC server: addr=.*?(\d+(?:\.\d+){3}:\d+)/.exec(line);
        if (found !== null) resolve(`ws://${found[1]}`);
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
  return { url: await address, pid: child.pid, log, ended: exited, stop, kill };
}
