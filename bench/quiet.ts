/**
 * Rounds that follow each other begin when what the one before left behind is done: programs that end, and what
 * the kernel puts away after them, such as networks and control groups, which belongs to no process, or has yet to
 * write to disks: LXD's file system makes gigabytes of it, and whoever commits next would wait for them.
 */

import { readFileSync } from "node:fs";
import { run } from "../src/lib/run.ts";
import { sleep } from "../src/lib/wait.ts";
import { readAllowedCores } from "./allowed-cores.ts";

const LOOK_MS = 250;
const IDLE_PART = 0.95;
/** On a machine that does other things it never gets quiet; the round begins all the same. */
const MOST_MS = 6_000;
const WRITTEN_MS = 60_000;

/** Waits until the processors that this process may use have had nothing to do for a moment. */
export async function waitForQuiet(): Promise<void> {
  await run(["sync"], { timeoutMs: WRITTEN_MS });
  const cpus = readAllowedCores();
  const endMs = performance.now() + MOST_MS;
  let before = readTicks(cpus);
  while (performance.now() < endMs) {
    await sleep(LOOK_MS);
    const now = readTicks(cpus);
    if (now.idle - before.idle >= IDLE_PART * (now.all - before.all)) return;
    before = now;
  }
}

type Ticks = { readonly idle: number; readonly all: number };

function readTicks(cpus: readonly number[]): Ticks {
  return parseTicks(readFileSync("/proc/stat", "utf8"), cpus);
}

/** Of those processors together; one that waits for a disk isn't idle. */
export function parseTicks(stat: string, cpus: readonly number[]): Ticks {
  let idle = 0;
  let all = 0;
  for (const line of stat.split("\n")) {
    const [name = "", ...ticks] = line.split(" ");
    if (!/^cpu\d+$/.test(name) || !cpus.includes(Number(name.slice(3)))) continue;
    idle += Number(ticks[3]);
    // What comes after is counted in the first two already.
    for (const value of ticks.slice(0, 8)) all += Number(value);
  }
  return { idle, all };
}
