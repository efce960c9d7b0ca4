/**
 * TigerVNC's server for a display that is there already (Debian's tigervnc-scraping-server), on a socket that only root can
 * come to. Its pictures are ours where we can make them (`screen-painter.ts`).
 */

import { run } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import type { LaunchInput } from "../session/launch.ts";
import { asUser, DISPLAY, type DisplayChild, environmentOf, spawnAs } from "./programs.ts";
import { openScreenPainter, type ScreenPainter } from "./screen-painter.ts";
import type { ScreenServer, ScreenServerDeps, ScreenServerKind } from "./screen-server.ts";
import { closePlace, isListening, openPlace, removeOldPlaces, removePlace } from "./socket-place.ts";
import { SpareKeys } from "./spare-keys.ts";

const PROGRAM = "X0tigervnc";
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
/** Where pictures are made by us: it reads the screen as often as they are wanted, and nobody wants them. */
const LEAVE_PICTURES = ["-FrameRate=1"];
/** Of later versions, which would tell every viewer what is copied; ours goes by consent (`clipboard.ts`). */
const MUTE = ["SendCutText", "AcceptCutText"];

export const tigervnc: ScreenServerKind = { program: PROGRAM, open };

async function open(deps: ScreenServerDeps, user: LaunchInput): Promise<ScreenServer | undefined> {
  removeOldPlaces(deps.folder);
  const painting = openScreenPainter(deps, user);
  try {
    const [painter, mute] = await Promise.all([painting, listMute(user)]);
    const server = await serve(deps, user, { painter, mute });
    if (server === undefined) painter?.end();
    return server;
  } catch (error) {
    const [painter] = await Promise.allSettled([painting]);
    if (painter.status === "fulfilled") painter.value?.end();
    throw error;
  }
}

type Serve = { readonly painter: ScreenPainter | undefined; readonly mute: readonly string[] };

async function serve(
  { folder }: ScreenServerDeps,
  user: LaunchInput,
  { painter, mute }: Serve,
): Promise<ScreenServer | undefined> {
  const { uid } = user.account;
  const place = openPlace(folder, { uid, gid: user.gid });
  const { socket } = place;
  const words = [...SERVE, ...mute, ...(painter === undefined ? [] : LEAVE_PICTURES)];
  const child = spawnAs(user, [PROGRAM, "-display", DISPLAY, "-rfbunixpath", socket, ...words]);
  let hasEnded = false;
  void child.exited.then(() => {
    hasEnded = true;
    removePlace(place);
  });
  const isUp = await waitFor(() => hasEnded || isListening(socket), { timeoutMs: UP_MS, everyMs: 5 });
  if (isUp && !hasEnded && closePlace(place, uid))
    return {
      uid,
      place: { unix: socket },
      ...(painter === undefined ? {} : { painter: painter.socket }),
      isUp: () => !hasEnded && (painter?.isUp() ?? true),
      keys: openSpareKeys(user),
      // It does so by itself, key by key, when a viewer leaves.
      releaseKeys: async () => {},
      end() {
        painter?.end();
        endGently(child);
      },
    };
  child.kill();
  return undefined;
}

async function listMute(user: LaunchInput): Promise<readonly string[]> {
  const options = { timeoutMs: HELP_MS, env: environmentOf(user) };
  const help = await run([...asUser(user), PROGRAM, "--help"], options);
  return listKnown(MUTE, `${help.stdout}${help.stderr}`).map((name) => `-${name}=0`);
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
