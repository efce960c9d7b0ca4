/**
 * The programs of Debian's that show a session to a browser, started as the session's user: Xvfb with nxproxy, which play a
 * first client; xrandr, which resizes; xclip. What serves the display has files of its own (`screen-server.ts`).
 */

import { run } from "../../lib/run.ts";
import type { ScreenSize } from "../../wire/display/control.ts";
import { NX_DISPLAY } from "../../wire/guest/messages.ts";
import type { LaunchInput } from "../session/launch.ts";
import { endInput, feedChild } from "./feed-child.ts";

export const DISPLAY = `:${NX_DISPLAY}`;
export const PROGRAM_PATH = "/usr/local/bin:/usr/bin:/bin";
const RUN_MS = 5_000;

export type DisplayChild = {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  /** KILL by default. Nothing happens to one that has ended, whoever has its number by now. */
  kill(signal?: NodeJS.Signals): void;
};

export type DisplayPrograms = {
  /** A screen of that size for nothing but the first start; its display's number once it is up. */
  readonly openScreen: (
    user: LaunchInput,
    size: ScreenSize,
  ) => { readonly child: DisplayChild; readonly display: Promise<number | undefined> };
  /** A client of the NX port that shows the session on that display. */
  readonly visit: (user: LaunchInput, display: number) => DisplayChild;
  /** False when X refused. `hasNewcomer`: a server has just come to the display, and must hear of its size. */
  readonly resize: (user: LaunchInput, size: ScreenSize, hasNewcomer?: boolean) => Promise<boolean>;
  /** Gives the display a keyboard, in X's words `model/layout`. False when X refused. */
  readonly setKeyboard: (user: LaunchInput, keyboard: string) => Promise<boolean>;
  /** What was copied in the session; undefined when that is no text. */
  readonly readClipboard: (user: LaunchInput, display?: string) => Promise<string | undefined>;
  /** Makes a text what was copied; false when nothing holds it. */
  readonly writeClipboard: (user: LaunchInput, text: string, display?: string) => Promise<boolean>;
};

const xclip = (display = DISPLAY) => ["xclip", "-display", display, "-selection", "clipboard"];
const CLIPBOARD_MS = 2_000;
/** A busy machine may take seconds to start it; one whose display doesn't answer would wait for ever. */
const HOLD_MS = 10_000;

export const displayPrograms: DisplayPrograms = {
  openScreen(user, { width, height }) {
    const screen = ["-screen", "0", `${width}x${height}x24`, "-nolisten", "tcp", "-noreset"];
    const child = Bun.spawn([...asUser(user), "Xvfb", "-displayfd", "1", ...screen], {
      ...placeOf(user),
      stdio: ["ignore", "pipe", "ignore"],
    });
    return { child: childOf(child), display: readNumber(child.stdout) };
  },
  // No name to resolve: a desktop's /etc/hosts may be anything.
  visit: (user, display) =>
    spawnAs(user, ["nxproxy", "-S", `127.0.0.1:${NX_DISPLAY}`], {
      DISPLAY: `:${display}`,
      NX_CLIENT: "/bin/false",
    }),
  resize: resizeScreen,
  async setKeyboard(user, keyboard) {
    const [model = "", layout = ""] = keyboard.split("/");
    const words = ["setxkbmap", "-display", DISPLAY, "-model", model, "-layout", layout];
    const options = { timeoutMs: RUN_MS, env: environmentOf(user) };
    return (await run([...asUser(user), ...words], options)).exitCode === 0;
  },
  async readClipboard(user, display) {
    const read = [...asUser(user), ...xclip(display), "-o", "-t", "UTF8_STRING"];
    const { exitCode, stdout } = await run(read, {
      timeoutMs: CLIPBOARD_MS,
      env: environmentOf(user),
    });
    return exitCode === 0 ? stdout : undefined;
  },
  async writeClipboard(user, text, display) {
    // A child of it stays, to answer for the text, until something else is copied; it ends itself when that begins.
    const child = Bun.spawn([...asUser(user), ...xclip(display), "-i"], {
      ...placeOf(user),
      stdio: ["pipe", "ignore", "ignore"],
      timeout: HOLD_MS,
      killSignal: "SIGKILL",
    });
    child.unref();
    void feedChild(child.stdin, text);
    endInput(child.stdin);
    return (await child.exited) === 0;
  },
};

/**
 * Makes a mode of that size and takes it. While suspended, nxagent goes on telling new clients the size of its last NX
 * client; to xrandr that very size is no change, so the screen is made one pixel narrower there. A server that
 * has just come believes what it was told, would read beyond the screen and end: only a change tells it the true size.
 */
async function resizeScreen(user: LaunchInput, size: ScreenSize, hasNewcomer = false): Promise<boolean> {
  const said = (await xrandr(user)).stdout;
  const screen = readScreen(said);
  if (screen === undefined) return false;
  const next = chooseSize(size, screen, hasNewcomer);
  return next === undefined || (await takeSize(user, next, screen));
}

function xrandr(user: LaunchInput, ...words: readonly string[]) {
  const command = [...asUser(user), "xrandr", "-display", DISPLAY, ...words];
  return run(command, { timeoutMs: RUN_MS, env: environmentOf(user) });
}

async function takeSize(
  user: LaunchInput,
  { width, height }: ScreenSize,
  { output, modes }: XScreen,
): Promise<boolean> {
  const mode = `qvd-${width}x${height}`;
  const timing = [width, width + 1, width + 2, width + 3, height, height + 1, height + 2, height + 3];
  // Both fail where the mode is there already.
  await xrandr(user, "--newmode", mode, "60", ...timing.map(String));
  await xrandr(user, "--addmode", output, mode);
  if ((await xrandr(user, "--output", output, "--mode", mode)).exitCode !== 0) return false;
  for (const old of modes) {
    if (old === mode) continue;
    await xrandr(user, "--delmode", output, old);
    await xrandr(user, "--rmmode", old);
  }
  return true;
}

type XScreen = {
  readonly output: string;
  /** What new clients of the display are told. */
  readonly told: ScreenSize;
  readonly shown: ScreenSize;
  /** Of ours that are there. */
  readonly modes: readonly string[];
};

/** What xrandr says of the screen; undefined when it says nothing that is known. */
export function readScreen(said: string): XScreen | undefined {
  const told = /current (\d+) x (\d+)/.exec(said);
  const shown = /^(\S+) connected(?: primary)?(?: (\d+)x(\d+)\+)?/m.exec(said);
  if (told === null || shown === null) return undefined;
  const sizeOf = (width = "0", height = "0") => ({ width: Number(width), height: Number(height) });
  return {
    output: shown[1] ?? "",
    told: sizeOf(told[1], told[2]),
    shown: sizeOf(shown[2], shown[3]),
    modes: [...said.matchAll(/^\s+(qvd-\d+x\d+)\s/gm)].map(([, mode = ""]) => mode),
  };
}

/** The size nearest to the wanted one that X takes for a change; undefined when nothing has to change. */
export function chooseSize(
  wanted: ScreenSize,
  { told, shown }: Pick<XScreen, "told" | "shown">,
  hasNewcomer: boolean,
): ScreenSize | undefined {
  const isSame = (one: ScreenSize, other: ScreenSize) =>
    one.width === other.width && one.height === other.height;
  if (isSame(shown, wanted) && (isSame(told, shown) || !hasNewcomer)) return undefined;
  const sizes = [0, 1, 2].map((less) => ({ ...wanted, width: wanted.width - less }));
  return sizes.find((size) => !isSame(size, told) && !(hasNewcomer && isSame(size, shown)));
}

/** Throws where there is no such program. */
export function spawnAs(
  user: LaunchInput,
  command: readonly string[],
  more: Readonly<Record<string, string>> = {},
): DisplayChild {
  const child = Bun.spawn([...asUser(user), ...command], {
    ...placeOf(user, more),
    stdio: ["ignore", "ignore", "ignore"],
  });
  return childOf(child);
}

function childOf(child: Bun.Subprocess): DisplayChild {
  child.unref();
  return { pid: child.pid, exited: child.exited, kill: (signal = "SIGKILL") => child.kill(signal) };
}

export function asUser({ account, gid }: LaunchInput): readonly string[] {
  return ["setpriv", `--reuid=${account.uid}`, `--regid=${gid}`, "--init-groups", "--inh-caps=-all"];
}

function placeOf(user: LaunchInput, more: Readonly<Record<string, string>> = {}) {
  return { cwd: user.home, env: { ...environmentOf(user), ...more } };
}

export function environmentOf({ account, home }: LaunchInput): Record<string, string> {
  return {
    HOME: home,
    USER: account.login,
    LOGNAME: account.login,
    LANG: "C.UTF-8",
    PATH: PROGRAM_PATH,
  };
}

async function readNumber(stream: ReadableStream<Uint8Array>): Promise<number | undefined> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString("latin1");
    if (text.includes("\n") || text.length > 16) break;
  }
  const number = Number.parseInt(text, 10);
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}
