// A disk that can be filled up without harm: a small file system in memory.

import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * Mounts a file system of `megabytes` at `folder`; it goes with this process.
 *
 * @returns {{problem: string} | {problem: null, fill: (spare?: number) => void, free: () => void}} why there is
 *   none, or the ways to use up all its space but `spare` bytes and to give that back
 */
export function mountSmallDisk(folder, megabytes) {
  mkdirSync(folder, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], { encoding: "utf8" });
  if (mounted.status !== 0) {
    return { problem: `no small disk can be mounted (${mounted.stderr?.trim() || mounted.error}); run as root` };
  }
  // Before the folder above it is removed.
  process.prependOnceListener("exit", () => spawnSync("umount", ["--lazy", folder]));
  const filler = join(folder, "filler");
  const fill = (spare = 0) => {
    const file = openSync(filler, "a");
    // The last page may be one that only one byte fits into.
    for (const size of [1 << 16, 1 << 12, 1]) {
      const bytes = Buffer.alloc(size);
      try {
        for (;;) writeSync(file, bytes);
      } catch (error) {
        if (error.code !== "ENOSPC") throw error;
      }
    }
    ftruncateSync(file, fstatSync(file).size - spare);
    closeSync(file);
  };
  const free = () => rmSync(filler);
  return { problem: null, fill, free };
}
