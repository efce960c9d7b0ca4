/**
 * Where the bench's processes run: relays on the first core that this process may use, the load on the others, so that
 * they don't take each other's caches and time. All go before whatever else the machine does, and the bench itself before
 * them: it must read its clocks in time when it has only these cores too.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setPriority } from "node:os";
import { parseCoreList, readAllowedCores } from "../allowed-cores.ts";

export type Cores = {
  /** Words to put before a command. */
  readonly relay: readonly string[];
  readonly load: readonly string[];
  /** For what is neither. */
  readonly beside: readonly string[];
};

const BENCH_NICE = -20;
/** Not more: whoever else lives on this machine should go on. */
const GROUP_NICE = -10;
/** Relative to the bench's. */
const MEASURED = 8;

export function goBeforeAll(): void {
  setPriority(0, BENCH_NICE);
  // Where the kernel groups processes by session, it weighs the groups first.
  const group = "/proc/self/autogroup";
  if (existsSync(group)) writeFileSync(group, `${GROUP_NICE}`);
}

/** Of `count` in all, those that this process may use; what takes part beside gets the ones that it may not, if any. */
export function chooseCores(allowed: readonly number[] = readAllowedCores(), count = readCoreCount()): Cores {
  const [first = 0, ...others] = allowed;
  const rest = others.length === 0 ? [first] : others;
  const outside = Array.from({ length: count }, (_none, core) => core).filter(
    (core) => !allowed.includes(core),
  );
  const on = (cores: readonly number[]) => ["nice", "-n", `${MEASURED}`, "taskset", "-c", cores.join(",")];
  return {
    relay: on([first]),
    load: on(rest),
    beside: on(outside.length === 0 ? rest : outside),
  };
}

function readCoreCount(): number {
  return parseCoreList(readFileSync("/sys/devices/system/cpu/online", "utf8")).length;
}
