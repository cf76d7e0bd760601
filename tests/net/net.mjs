// A net of nodes, each in a network namespace of its own, which a relay connects with delay, loss and
// partitions. It is made inside the network, mount and process namespaces that scripts/net.sh starts the driver in,
// so nothing of it is left when the driver ends, in whatever way.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { LOCAL_PEERS, nodeBinary, spawnNode } from "../polkadot-js/node.mjs";
import { fixed } from "./text.mjs";

/** Where nodes talk to each other: the network that the relay delays, loses packets of, and parts. */
const peerHost = (number) => `10.77.0.${number}`;
/** Where a node answers the driver. No node has a route to another's. */
const controlHost = (number) => `10.78.0.${number}`;
const DRIVER_HOST = controlHost(254);
const PEER_PORT = 30333;
const RPC_PORT = 9944;
/** Pings for each two ends, and how far apart: further than delays differ, so that none waits for the one before. */
const PINGS = 200;
const PING_SECONDS = 0.04;
const PING_PATIENCE_SECONDS = 2;
const STOP_MILLISECONDS = 10_000;

function command(program, ...words) {
  const { status, stderr, error } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${words.join(" ")} failed: ${error?.message ?? stderr.trim()}`);
  return stderr;
}

/** Runs a program while other things go on, and returns what it printed. Any other status is a failure. */
function commandBeside(statuses, program, ...words) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LC_ALL: "C" } });
    let output = "";
    let problem = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (problem += chunk));
    child.once("error", reject);
    child.once("close", (status) => {
      if (statuses.includes(status)) resolve(output);
      else reject(new Error(`${program} ${words.join(" ")} failed with ${status}: ${problem || output}`));
    });
  });
}

function relayBinary() {
  if (process.env.OPENLEDGER_RELAY) return process.env.OPENLEDGER_RELAY;
  return nodeBinary().replace(/openledger-node$/, "openledger-relay");
}

/** The relay's process, asked one thing at a time. */
class Relay {
  #child;
  #waiting = [];
  #problem = null;
  #ended;

  /** @param {string[]} words its arguments */
  constructor(words) {
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", relayBinary(), ...words], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) =>
      this.#waiting.shift()?.resolve(JSON.parse(line)),
    );
    const failed = (problem) => {
      this.#problem = new Error(`the relay ${relayBinary()} ended: ${problem}`);
      for (const { reject } of this.#waiting.splice(0)) reject(this.#problem);
    };
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("exit", (code, signal) => resolve(signal ?? `status ${code}`));
    });
    this.#ended.then(failed);
    // What is written to a relay that has ended is answered by its end.
    this.#child.stdin.on("error", () => {});
  }

  /** The next line that it prints. */
  answer() {
    return new Promise((resolve, reject) => {
      if (this.#problem !== null) reject(this.#problem);
      else this.#waiting.push({ resolve, reject });
    });
  }

  /** Gives it a command and returns what it says. */
  async ask(words) {
    const answer = this.answer();
    this.#child.stdin.write(`${words}\n`);
    const said = await answer;
    if (said.error !== undefined) throw new Error(`the relay refuses '${words}': ${said.error}`);
    return said;
  }

  /** Its devices are gone when it has ended. */
  async stop() {
    this.#child.stdin.end();
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MILLISECONDS);
    await this.#ended;
    clearTimeout(patience);
  }
}

export class Net {
  /** The names of its ends, in order. */
  names;
  #relay;
  #folder;
  #namespaces = [];
  #identities = new Map();
  #nodes = new Map();
  #logs = new Map();

  /**
   * Makes the namespaces and connects them.
   *
   * @param {string} folder where the nodes' files go
   * @param {string[]} names the ends; validators are called like the development accounts whose keys they have
   * @param {number} seed what the relay's draws come from
   */
  static async start(folder, names, seed) {
    const net = new Net();
    net.names = names;
    net.#folder = folder;
    mkdirSync(folder, { recursive: true });
    try {
      await net.#make(seed);
    } catch (error) {
      await net.#takeDown();
      throw error;
    }
    return net;
  }

  async #make(seed) {
    const ends = this.names.flatMap((name, position) => {
      const number = position + 1;
      return ["--end", `${name}=${peerHost(number)},${controlHost(number)}`];
    });
    this.#relay = new Relay(["--seed", String(seed), ...ends, "--control", `driver=${DRIVER_HOST}`]);
    const { devices } = await this.#relay.answer();
    for (const { end, device } of devices) {
      if (end === "driver") {
        command("ip", "address", "add", `${DRIVER_HOST}/24`, "dev", device);
        command("ip", "link", "set", device, "up");
        continue;
      }
      const number = this.#number(end);
      const inside = (...words) => command("ip", "-netns", end, ...words);
      command("ip", "netns", "add", end);
      this.#namespaces.push(end);
      command("ip", "link", "set", device, "netns", end);
      inside("link", "set", "lo", "up");
      inside("address", "add", `${peerHost(number)}/24`, "dev", device);
      inside("address", "add", `${controlHost(number)}/32`, "dev", device);
      inside("link", "set", device, "up");
      inside("route", "add", DRIVER_HOST, "dev", device, "src", controlHost(number));
    }
    for (const name of this.names) {
      const file = join(this.#folder, `${name}.network-key`);
      // It prints the identity where others print messages.
      const identity = command(nodeBinary(), "key", "generate-node-key", "--chain", "local", "--file", file).trim();
      this.#identities.set(name, { file, identity });
    }
  }

  async #takeDown() {
    await this.#relay.stop();
    for (const name of this.#namespaces) command("ip", "netns", "delete", name);
  }

  #number(name) {
    const position = this.names.indexOf(name);
    if (position < 0) throw new Error(`the net has no end '${name}'`);
    return position + 1;
  }

  /**
   * Sets what happens to packets between nodes.
   *
   * @param {{mean: number, spread: number, loss: number}} conditions milliseconds of a round trip, and the percentage
   *   of packets lost in each direction
   */
  async conditions({ mean, spread, loss }) {
    await this.#relay.ask(`delay ${mean} ${spread}`);
    await this.#relay.ask(`loss ${loss}`);
  }

  /** Lets packets pass within these groups of ends only. */
  partition(groups) {
    return this.#relay.ask(`partition ${groups.map((group) => group.join(",")).join("|")}`);
  }

  heal() {
    return this.#relay.ask("heal");
  }

  /** What the relay has carried, for each direction between two nodes. */
  async statistics() {
    const { statistics } = await this.#relay.ask("statistics");
    return { ...statistics, paths: statistics.paths.filter(({ from, to }) => from !== "driver" && to !== "driver") };
  }

  /**
   * Measures the network with ping, between each two ends.
   *
   * @returns {Promise<{sent: number, lostPercent: number, mean: number, least: number, most: number}>} round trips, in
   *   milliseconds
   */
  async ping() {
    const pairs = this.names.flatMap((from, position) => this.names.slice(position + 1).map((to) => [from, to]));
    const patience = ["-W", String(PING_PATIENCE_SECONDS)];
    const found = await Promise.all(
      pairs.map(async ([from, to]) => {
        const words = [
          "-n",
          "-q",
          "-c",
          String(PINGS),
          "-i",
          String(PING_SECONDS),
          ...patience,
          peerHost(this.#number(to)),
        ];
        // Its status is 1 when nothing came back, which is a result as well.
        const output = await commandBeside([0, 1], "ip", "netns", "exec", from, "ping", ...words);
        const counts = /(\d+) packets transmitted, (\d+) received/.exec(output);
        const times = /= ([\d.]+)\/([\d.]+)\/([\d.]+)\//.exec(output);
        if (counts === null) throw new Error(`ping printed no result: ${output}`);
        return {
          sent: Number(counts[1]),
          received: Number(counts[2]),
          times: times?.slice(1).map(Number) ?? [Infinity, 0, -Infinity],
        };
      }),
    );
    const sum = (value) => found.reduce((total, one) => total + value(one), 0);
    const sent = sum((one) => one.sent);
    const received = sum((one) => one.received);
    if (received === 0) throw new Error("no ping came back: the net is not connected");
    return {
      sent,
      lostPercent: (100 * (sent - received)) / sent,
      mean: sum(({ received, times: [, mean] }) => received * mean) / received,
      least: Math.min(...found.map(({ times: [least] }) => least)),
      most: Math.max(...found.map(({ times: [, , most] }) => most)),
    };
  }

  /** The folder of a node's database and keys. */
  folderOf(name) {
    return join(this.#folder, name);
  }

  /**
   * Starts the node of an end and waits until it answers. It knows the others' addresses from the start.
   *
   * @param {string} name the end
   * @param {string} specification the chain's specification
   * @param {object} [options]
   * @param {boolean} [options.validator] whether it makes blocks, with the keys of the account of the end's name
   * @param {string[]} [options.peers] the ends that it is told of; all others by default
   * @param {number} [options.clockOff] seconds by which its clock is ahead
   * @param {string[]} [options.extraArguments] further arguments
   */
  async startNode(
    name,
    specification,
    { validator = true, peers = this.names, clockOff = 0, extraArguments = [] } = {},
  ) {
    const number = this.#number(name);
    const known = peers.filter((peer) => peer !== name).map((peer) => this.#peerAddress(peer));
    const environment = clockOff === 0 ? [] : ["env", ...shiftedClock(clockOff)];
    const node = await spawnNode(
      [
        ...[
          "--chain",
          specification,
          "--base-path",
          this.folderOf(name),
          ...(validator ? [`--${name}`] : ["--name", name]),
        ],
        ...[
          "--node-key-file",
          this.#identities.get(name).file,
          "--listen-addr",
          `/ip4/${peerHost(number)}/tcp/${PEER_PORT}`,
        ],
        ...["--experimental-rpc-endpoint", `listen-addr=${controlHost(number)}:${RPC_PORT},methods=unsafe`],
        ...[...LOCAL_PEERS, "--no-prometheus", "--no-telemetry", "--bootnodes", ...known, ...extraArguments],
      ],
      undefined,
      ["ip", "netns", "exec", name, ...environment],
    );
    this.#nodes.set(name, node);
    this.#logs.set(name, [...(this.#logs.get(name) ?? []), node.log]);
    node.ended.then((how) => {
      if (this.#nodes.get(name) === node) this.#nodes.get(name).how = how;
    });
    return node;
  }

  #peerAddress(name) {
    return `/ip4/${peerHost(this.#number(name))}/tcp/${PEER_PORT}/p2p/${this.#identities.get(name).identity}`;
  }

  /** Fails when a node has ended that nobody has ended. */
  checkNodes() {
    for (const [name, { how, log }] of this.#nodes) {
      if (how === undefined) continue;
      throw new Error(`the node of ${name} ended by itself with ${how}. Its last lines:\n${log.slice(-40).join("\n")}`);
    }
  }

  /** The node of an end. */
  node(name) {
    return this.#nodes.get(name);
  }

  /** How a node ends by itself, if it does: from now on that is no failure. */
  endOf(name) {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    return node.ended;
  }

  /** Ends a node: asked to, or with `kill` without warning. Also one that has ended. */
  async stopNode(name, { kill = false } = {}) {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    await (kill ? node.kill() : node.stop());
  }

  /** Ends all nodes, takes the net down, and writes the nodes' logs to a folder. */
  async stop(logFolder) {
    await Promise.all([...this.#nodes.keys()].map((name) => this.stopNode(name)));
    await this.#takeDown();
    mkdirSync(logFolder, { recursive: true });
    for (const [name, logs] of this.#logs) {
      writeFileSync(join(logFolder, `${name}.log`), logs.map((lines) => `${lines.join("\n")}\n`).join("\n"));
    }
  }
}

/** What makes a program see a clock that is so many seconds ahead. Durations are as always. */
function shiftedClock(seconds) {
  const library = process.env.OPENLEDGER_FAKETIME;
  if (!library)
    throw new Error("OPENLEDGER_FAKETIME names no library that shifts clocks; start this with scripts/net.sh");
  return [`LD_PRELOAD=${library}`, `FAKETIME=${seconds > 0 ? "+" : ""}${seconds}s`, "FAKETIME_DONT_FAKE_MONOTONIC=1"];
}

/** What a measurement with ping says, in a sentence. */
export function pingText({ sent, lostPercent, mean, least, most }) {
  const times = `mean ${fixed(mean, 1)} ms, least ${fixed(least, 1)} ms, most ${fixed(most, 1)} ms`;
  return `round trips by ping: ${times}; ${fixed(lostPercent, 2)} % of ${sent} lost`;
}
