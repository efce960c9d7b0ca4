/** A process as the kernel holds it, and what somebody who had taken it over could do to the rest of the machine. */

import { readFileSync } from "node:fs";
import { type RunResult, run } from "../../src/lib/run.ts";

export type ProcessRights = {
  readonly uids: readonly string[];
  readonly gids: readonly string[];
  readonly groups: readonly string[];
  /** By set: all of them are to be empty. */
  readonly capabilities: Readonly<Record<string, string>>;
  readonly canGain: boolean;
};

export function readRights(pid: number): ProcessRights {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const words = (name: string) =>
    new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1]?.split(/\s+/).filter(Boolean) ?? [];
  const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
  return {
    uids: words("Uid"),
    gids: words("Gid"),
    groups: words("Groups"),
    capabilities: Object.fromEntries(sets.map((set) => [set, words(set)[0] ?? ""])),
    canGain: words("NoNewPrivs")[0] !== "1",
  };
}

/** Runs a command with exactly what that process has. */
export function runAs({ uids, gids, groups }: ProcessRights, command: readonly string[]): Promise<RunResult> {
  const drop = [
    ...["setpriv", `--reuid=${uids[0]}`, `--regid=${gids[0]}`],
    ...(groups.length === 0 ? ["--clear-groups"] : [`--groups=${groups.join(",")}`]),
    ...["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"],
  ];
  return run([...drop, ...command], { cwd: "/", timeoutMs: 30_000 });
}

/** What of a folder passes a test of `find` for that process, such as `-writable`. */
export async function listFor(
  rights: ProcessRights,
  folder: string,
  tests: readonly string[],
): Promise<string[]> {
  // It ends with a fault for each folder that it may not enter, which is what is looked for.
  const { stdout } = await runAs(rights, ["find", folder, ...tests, "-print"]);
  return stdout.split("\n").filter(Boolean).sort();
}
