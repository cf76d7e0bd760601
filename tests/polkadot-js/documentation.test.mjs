// The shell commands of README.md and docs/: each is run here, or its script has its own place to run.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { nodeBinary, spawnNode } from "./node.mjs";
import { scratchFolder } from "./worker.mjs";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const BINARIES = dirname(nodeBinary());

/** The lines of all blocks that are marked as shell, without comments. */
function commands(path) {
  const blocks = [...readFileSync(path, "utf8").matchAll(/^```sh\n(.*?)^```/gms)];
  return blocks.flatMap(([, block]) => block.split("\n").map((line) => line.replace(/\s+#.*$/, "").trim())).filter(Boolean);
}

const pages = ["README.md", ...readdirSync(join(REPOSITORY, "docs")).map((name) => join("docs", name))];

describe("the documentation's commands", { timeout: 300_000 }, () => {
  const folder = scratchFolder();
  for (const page of pages.filter((name) => name.endsWith(".md"))) {
    for (const command of commands(join(REPOSITORY, page))) {
      // What sets the scene: scripts/env.sh says where builds are, the others name them.
      if (/^\. scripts\/env\.sh$|^(NODE|WORKER)=\$CARGO_TARGET_DIR\/release\/openledger-(node|worker)$/.test(command)) continue;

      test(`${page}: ${command}`, async () => {
        const [program, ...words] = command
          .replace("$CARGO_TARGET_DIR/release", BINARIES)
          .replace("$NODE", join(BINARIES, "openledger-node"))
          .replace("$WORKER", join(BINARIES, "openledger-worker"))
          .split(/\s+/);
        if (/^(\.\/)?scripts\//.test(program)) {
          accessSync(join(REPOSITORY, program), constants.X_OK);
          // The tests are what runs here; the others explain themselves without beginning.
          if (program.endsWith("/test.sh")) return;
          const { status, stdout, stderr } = spawnSync(join(REPOSITORY, program), ["--help"], { encoding: "utf8" });
          assert.equal(status, 0, stderr);
          for (const option of words.filter((word) => word.startsWith("--"))) assert.ok(stdout.includes(option), stdout);
          return;
        }
        if (program === "cargo") {
          // scripts/test.sh gives cargo the same options, or everything would be built again.
          const script = readFileSync(join(REPOSITORY, "scripts", "test.sh"), "utf8");
          const [, options] = /^CARGO_OPTIONS=\((.*)\)$/m.exec(script);
          assert.ok(command.startsWith(`cargo test ${options}`), command);
          return;
        }
        if (/--(dev|alice)\b/.test(command)) {
          // Ports that nobody else has.
          const free = words.join(" ").replace(/ --(rpc-)?port \d+/g, "").split(" ");
          const inFolder = free.map((word) => (word === "alice" ? join(folder, word) : word));
          const node = await spawnNode([...inFolder, "--rpc-port", "0", "--port", "0", "--no-prometheus", "--no-mdns"]);
          await node.stop();
          return;
        }
        const { status, stderr } = spawnSync(program, words, { cwd: folder, encoding: "utf8" });
        assert.equal(status, 0, stderr);
      });
    }
  }
});
