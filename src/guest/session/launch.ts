/**
 * Starts the person's X session: xinit with nxagent as its server, as the ordinary user, in a session of its
 * own and with its output in a file, so that it outlives the agent. As root nxagent would not even work:
 * xkbcomp can't write its map and the keyboard is silently American.
 */

import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { CLEAN_ENV } from "../../lib/run.ts";
import { type GuestAccount, NX_DISPLAY } from "../../wire/guest/messages.ts";
import type { GuestPlaces } from "../places.ts";
import { listProcesses, signalProcess } from "./processes.ts";

export type LaunchInput = {
  readonly account: GuestAccount;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** Of an application: what the session is, as sh reads it. */
  readonly program?: string | undefined;
};

export type LaunchPlan = {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

export type Launched = { readonly pid: number; readonly exited: Promise<unknown> };

/** Pure: what to run, and with which environment. */
export function planLaunch(input: LaunchInput, places: GuestPlaces, lang: string): LaunchPlan {
  const { login, uid } = input.account;
  const display = `:${NX_DISPLAY}`;
  const drop = ["setpriv", `--reuid=${uid}`, `--regid=${input.gid}`, "--init-groups", "--inh-caps=-all"];
  const server = ["/usr/bin/nxagent", display, "-s", "0", "-ac", "-nolisten", "tcp", "-name", "QVD"];
  return {
    command: [
      ...drop,
      "xinit",
      places.sessionStart,
      "--",
      ...server,
      "-display",
      `nx/nx,options=${places.options}${display}`,
    ],
    env: {
      HOME: input.home,
      USER: login,
      LOGNAME: login,
      SHELL: input.shell,
      LANG: lang,
      PATH: "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
      XDG_RUNTIME_DIR: `/run/user/${uid}`,
      NX_CLIENT: places.dialog,
      NX_SLAVE_CMD: places.slave,
      ...(input.program === undefined ? {} : { QVD_PROGRAM: input.program }),
    },
    cwd: input.home,
  };
}

/** Starts what was planned. `exited` resolves at its end as long as this agent lives. */
export function launch(plan: LaunchPlan, logPath: string): Launched {
  const log = openSync(logPath, "a", 0o600);
  try {
    const child = Bun.spawn([...plan.command], {
      env: { ...plan.env },
      cwd: plan.cwd,
      stdio: ["ignore", log, log],
      detached: true,
    });
    child.unref();
    return { pid: child.pid, exited: child.exited };
  } finally {
    closeSync(log);
  }
}

/** Files that the user's side needs, and the remains of an X server that is gone. */
export function prepareLaunch(input: LaunchInput, places: GuestPlaces): void {
  const { uid } = input.account;
  // An nxagent of the account that no record tells of would hold the display.
  for (const found of listProcesses()) {
    if (found.uid === uid && found.name === "nxagent") signalProcess(found, "SIGKILL");
  }
  rmSync(places.log, { force: true });
  writeFileSync(places.log, "", { mode: 0o600 });
  // Files of the user in root's folder: to be written by the session, not replaced by it.
  for (const path of [places.state, places.powerOffRequest]) {
    rmSync(path, { force: true });
    writeFileSync(path, "", { mode: 0o600 });
    chownSync(path, uid, input.gid);
  }
  mkdirSync("/run/user", { recursive: true, mode: 0o755 });
  ownFolder(`/run/user/${uid}`, { uid, gid: input.gid, mode: 0o700 });
  rmSync(`/tmp/.X${NX_DISPLAY}-lock`, { force: true });
  for (const folder of ["/tmp/.X11-unix", "/tmp/.ICE-unix"])
    ownFolder(folder, { uid: 0, gid: 0, mode: 0o1777 });
  rmSync(`/tmp/.X11-unix/X${NX_DISPLAY}`, { force: true });
}

/** The image's own choice, as its login sessions would read it. */
export function readLang(path = "/etc/default/locale"): string {
  if (!existsSync(path)) return CLEAN_ENV.LANG ?? "C.UTF-8";
  const found = /^\s*LANG="?([A-Za-z0-9_.@-]+)"?\s*$/m.exec(readFileSync(path, "utf8"));
  return found?.[1] ?? "C.UTF-8";
}

/** /tmp is everyone's: what somebody else put at that name is removed, never followed. */
function ownFolder(path: string, owner: { uid: number; gid: number; mode: number }): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() && found.uid === owner.uid && (found.mode & 0o7777) === owner.mode) return;
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  chmodSync(path, owner.mode);
  chownSync(path, owner.uid, owner.gid);
}
