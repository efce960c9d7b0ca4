/**
 * TigerVNC's server for a display that is there already (Debian's tigervnc-scraping-server), on a socket that only root can
 * come to: it makes the socket as the session's user in a folder that is the user's until it listens, and root's from then
 * on. So nothing can be put in its place later, and what was put there before is the user's own or refused.
 */

import { chownSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, unlinkSync } from "node:fs";
import { run } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import type { LaunchInput } from "../session/launch.ts";
import { asUser, DISPLAY, type DisplayChild, environmentOf, spawnAs } from "./programs.ts";
import type { ScreenServer, ScreenServerDeps, ScreenServerKind } from "./screen-server.ts";
import { SpareKeys } from "./spare-keys.ts";

const PROGRAM = "X0tigervnc";
/** Of a folder for each server's socket. */
const PREFIX = "screen-";
const SOCKET = "rfb";
const UP_MS = 10_000;
const HELP_MS = 5_000;
const KEYS_MS = 2_000;
const END_MS = 1_000;

/** The session's size is the door's affair (`programs.ts`); whoever comes was let in by the door. */
const SERVE = [
  ...["-SecurityTypes", "None", "-rfbport=-1", "-UseBlacklist=0", "-AlwaysShared", "-AcceptSetDesktopSize=0"],
  // By default it rests for two thirds of the time, so that it may be forgotten on somebody's own PC.
  "-MaxProcessorUsage=100",
];
/** Of later versions, which would tell every viewer what is copied; ours goes by consent (`clipboard.ts`). */
const MUTE = ["SendCutText", "AcceptCutText"];

export const tigervnc: ScreenServerKind = { program: PROGRAM, open };

async function open({ folder }: ScreenServerDeps, user: LaunchInput): Promise<ScreenServer | undefined> {
  const { uid } = user.account;
  removeOldPlaces(folder);
  const help = await run([...asUser(user), PROGRAM, "--help"], {
    timeoutMs: HELP_MS,
    env: environmentOf(user),
  });
  const mute = listKnown(MUTE, `${help.stdout}${help.stderr}`).map((name) => `-${name}=0`);
  const place = mkdtempSync(`${folder}/${PREFIX}`);
  chownSync(place, uid, user.gid);
  const socket = `${place}/${SOCKET}`;
  const child = spawnAs(user, [PROGRAM, "-display", DISPLAY, "-rfbunixpath", socket, ...SERVE, ...mute]);
  let hasEnded = false;
  void child.exited.then(() => {
    hasEnded = true;
    removePlace(place);
  });
  const isUp = await waitFor(() => hasEnded || isListening(socket), { timeoutMs: UP_MS, everyMs: 5 });
  if (isUp && !hasEnded && closePlace(place, socket, uid))
    return {
      uid,
      place: { unix: socket },
      isUp: () => !hasEnded,
      keys: openSpareKeys(user),
      // It does so by itself, key by key, when a viewer leaves.
      releaseKeys: async () => {},
      end: () => endGently(child),
    };
  child.kill();
  return undefined;
}

function openSpareKeys(user: LaunchInput): SpareKeys {
  const options = { timeoutMs: KEYS_MS, env: environmentOf(user) };
  const xmodmap = (...words: readonly string[]) => [
    ...asUser(user),
    "xmodmap",
    "-display",
    DISPLAY,
    ...words,
  ];
  return new SpareKeys({
    read: async () => (await run(xmodmap("-pk"), options)).stdout,
    // Twice, or a small letter would have its capital beside it.
    bind: async (keycode, keysym) => {
      const letter = `0x${keysym.toString(16)}`;
      await run(xmodmap("-e", `keycode ${keycode} = ${letter} ${letter}`), options);
    },
    now: () => performance.now(),
  });
}

/** Killed at once it would leave its shared memory, some megabytes, to the desktop for ever. */
function endGently(child: DisplayChild): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill(), END_MS);
  void child.exited.then(() => clearTimeout(timer));
}

/** Those of the options that a version of the program knows, by what its `--help` says. */
export function listKnown(options: readonly string[], help: string): readonly string[] {
  return options.filter((name) => new RegExp(`^ {1,4}${name} +-`, "m").test(help));
}

/** From the kernel's table of this desktop's network; the flag says that it takes connections. */
function isListening(socket: string): boolean {
  const rows = readFileSync("/proc/net/unix", "utf8").split("\n");
  return rows.some((row) => row.endsWith(` ${socket}`) && row.split(/\s+/)[3] === "00010000");
}

/** Makes the folder root's. False when what lies there is not a socket of that user's. */
export function closePlace(place: string, socket: string, uid: number): boolean {
  // Whom the folder belonged to can change nothing in it from here on, not by a descriptor either.
  chownSync(place, 0, 0);
  try {
    const found = lstatSync(socket);
    return found.isSocket() && found.uid === uid;
  } catch {
    // Taken away before the folder was closed.
    return false;
  }
}

/** Of agents before this one. */
function removeOldPlaces(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith(PREFIX)) removePlace(`${folder}/${name}`);
}

/** What the user may have put there besides stays, in a folder that is of no use: root follows nothing in it. */
function removePlace(place: string): void {
  for (const remove of [() => unlinkSync(`${place}/${SOCKET}`), () => rmdirSync(place)])
    try {
      remove();
    } catch {
      // It never came to be, or the folder holds more.
    }
}
