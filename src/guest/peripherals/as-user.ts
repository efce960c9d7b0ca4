/** Programs of the channels run as the session's user, never as root. */

import { type RunResult, run } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import { listProcesses, type ProcessInfo, signalProcess } from "../session/processes.ts";

export type ChannelUser = {
  readonly login: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
};

const RUN_MS = 15_000;
const END_MS = 2_000;
/** The exit code of a program whose time was up. */
export const KILLED = 137;

export function runAsUser(
  user: ChannelUser,
  command: readonly string[],
  { timeoutMs = RUN_MS, env = {} }: { timeoutMs?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<RunResult> {
  return run([...dropTo(user), ...command], { timeoutMs, cwd: "/", env: { ...environmentOf(user), ...env } });
}

/** Starts a server that outlives this agent; it is found again by its name. */
export function startAsUser(
  user: ChannelUser,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): void {
  const child = Bun.spawn([...dropTo(user), ...command], {
    env: { ...environmentOf(user), ...env },
    cwd: "/",
    stdio: ["ignore", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
}

/** A filter between pipes; it ends with this agent. */
export function pipeAsUser(user: ChannelUser, command: readonly string[]) {
  const child = Bun.spawn([...dropTo(user), ...command], {
    env: environmentOf(user),
    cwd: "/",
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.unref();
  return child;
}

/** The user's processes of that name. */
export function findOfUser(user: ChannelUser, name: string): readonly ProcessInfo[] {
  return listOfUser(user).filter((one) => one.name === name);
}

export function listOfUser(user: ChannelUser): readonly ProcessInfo[] {
  return listProcesses().filter((one) => one.uid === user.uid && !one.isZombie);
}

export function endOfUser(user: ChannelUser, name: string): void {
  for (const found of findOfUser(user, name)) signalProcess(found, "SIGTERM");
}

/** Resolves when none of the user's processes of these names is left; who doesn't listen is killed. */
export async function endAllOfUser(user: ChannelUser, names: readonly string[]): Promise<void> {
  const left = () => names.flatMap((name) => findOfUser(user, name));
  const isOver = () => left().length === 0;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const found of left()) signalProcess(found, signal);
    if (await waitFor(isOver, { timeoutMs: END_MS, everyMs: 20 })) return;
  }
}

function dropTo({ uid, gid }: ChannelUser): readonly string[] {
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--init-groups", "--inh-caps=-all"];
}

function environmentOf({ uid, login, home }: ChannelUser): Record<string, string> {
  return {
    HOME: home,
    USER: login,
    LOGNAME: login,
    // What these programs say is parsed.
    LC_ALL: "C",
    PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    XDG_RUNTIME_DIR: `/run/user/${uid}`,
  };
}
