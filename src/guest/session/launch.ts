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
import { SCREEN_PORT } from "../../domain/session/screen-port.ts";
import { CLEAN_ENV } from "../../lib/run.ts";
import type { ScreenSize } from "../../wire/display/control.ts";
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
  /** Of a server that is started in a size. */
  readonly size?: ScreenSize;
};

export type LaunchPlan = {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

export type Launched = {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  /** Where it will let viewers in, and whether they prove that they know the session's key. */
  readonly socket?: string;
  readonly asksProof?: boolean;
};

/** Of the nxagent that shows to an NX client what Xvnc has. */
export const SHADOW_DISPLAY = NX_DISPLAY + 1;

const DISPLAY = `:${NX_DISPLAY}`;
/** No screen saver of its own, which would show black to a browser. */
const SERVE = ["-s", "0", "-ac", "-nolisten", "tcp"];
/** Whoever comes in was let in by the display's door, which has the sizes and clipboards go by consent. */
const VIEWERS = [
  ...["-SecurityTypes", "VncAuth", `-rfbport=${SCREEN_PORT}`, "-interface", "0.0.0.0"],
  // A list of who failed would be for whoever comes by the gateway's address to fill.
  ...["-UseBlacklist=0", "-AlwaysShared"],
  ...["-AcceptSetDesktopSize=0", "-SendCutText=0", "-AcceptCutText=0"],
  // Else any program inside may turn them on.
  "-AllowOverride=",
];

/** Pure: what to run, and with which environment. */
export function planLaunch(input: LaunchInput, places: GuestPlaces, lang: string): LaunchPlan {
  const server = ["/usr/bin/nxagent", DISPLAY, ...SERVE, "-name", "QVD", ...nxPort(places)];
  return planOf(input, places, { command: ["xinit", places.sessionStart, "--", ...server], lang });
}

/** The same session on Xvnc, which lets viewers in at `socket` and at a port, by a password that it reads anew for each. */
export function planXvncLaunch(
  input: LaunchInput,
  places: GuestPlaces,
  { socket, lang }: { readonly socket: string; readonly lang: string },
): LaunchPlan {
  const { width, height } = input.size ?? { width: 1024, height: 768 };
  const screen = ["-geometry", `${width}x${height}`, "-depth", "24", "-rfbunixpath", socket];
  const proof = ["-rfbauth", places.screenPassword];
  const server = ["/usr/bin/Xtigervnc", DISPLAY, ...SERVE, ...VIEWERS, ...proof, ...screen];
  return planOf(input, places, { command: ["xinit", places.sessionStart, "--", ...server], lang });
}

/** The ports of NX go by the display in its options, and so are the session's. */
export function planShadowLaunch(input: LaunchInput, places: GuestPlaces, lang: string): LaunchPlan {
  const what = [`:${SHADOW_DISPLAY}`, "-S", "-shadow", DISPLAY];
  const server = ["/usr/bin/nxagent", ...what, ...SERVE, "-name", "QVD", ...nxPort(places)];
  const plan = planOf(input, places, { command: server, lang });
  // It can't be suspended, and hears no SIGHUP.
  return { ...plan, env: { ...plan.env, QVD_CLOSE_SIGNAL: "TERM" } };
}

function nxPort({ options }: GuestPlaces): readonly string[] {
  return ["-display", `nx/nx,options=${options}${DISPLAY}`];
}

function planOf(
  input: LaunchInput,
  places: GuestPlaces,
  { command, lang }: { readonly command: readonly string[]; readonly lang: string },
): LaunchPlan {
  const { login, uid } = input.account;
  const drop = ["setpriv", `--reuid=${uid}`, `--regid=${input.gid}`, "--init-groups", "--inh-caps=-all"];
  return {
    command: [...drop, ...command],
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
  // A server of the account that no record tells of would hold the display.
  endServers(uid, ["nxagent", "Xtigervnc"]);
  clearLog(places.log);
  giveFiles(input, [places.state, places.powerOffRequest]);
  mkdirSync("/run/user", { recursive: true, mode: 0o755 });
  ownFolder(`/run/user/${uid}`, { uid, gid: input.gid, mode: 0o700 });
  for (const folder of ["/tmp/.X11-unix", "/tmp/.ICE-unix"])
    ownFolder(folder, { uid: 0, gid: 0, mode: 0o1777 });
  clearDisplay(NX_DISPLAY);
}

/** The same for a shadow: the session is there. */
export function prepareShadow(input: LaunchInput, places: Pick<GuestPlaces, "shadowLog" | "state">): void {
  endServers(input.account.uid, ["nxagent"]);
  clearLog(places.shadowLog);
  giveFiles(input, [places.state]);
  clearDisplay(SHADOW_DISPLAY);
}

function endServers(uid: number, names: readonly string[]): void {
  for (const found of listProcesses())
    if (found.uid === uid && names.includes(found.name)) signalProcess(found, "SIGKILL");
}

function clearLog(path: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, "", { mode: 0o600 });
}

/** Files of the user in root's folder: to be written by the session, not replaced by it. */
function giveFiles({ account, gid }: LaunchInput, paths: readonly string[]): void {
  for (const path of paths) {
    rmSync(path, { force: true });
    writeFileSync(path, "", { mode: 0o600 });
    chownSync(path, account.uid, gid);
  }
}

function clearDisplay(display: number): void {
  rmSync(`/tmp/.X${display}-lock`, { force: true });
  rmSync(`/tmp/.X11-unix/X${display}`, { force: true });
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
