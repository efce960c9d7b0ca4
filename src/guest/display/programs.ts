/**
 * The programs of Debian's that show a session to a browser, started as the session's user: Xvfb with nxproxy, which play a
 * first client; xrandr, which resizes; xclip. What serves the display has files of its own (`screen-server.ts`).
 */

import { run } from "../../lib/run.ts";
import type { ScreenSize } from "../../wire/display/control.ts";
import { NX_DISPLAY } from "../../wire/guest/messages.ts";
import type { LaunchInput } from "../session/launch.ts";

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
  /** False when X refused. */
  readonly resize: (user: LaunchInput, size: ScreenSize) => Promise<boolean>;
  /** What was copied in the session; undefined when that is no text. */
  readonly readClipboard: (user: LaunchInput) => Promise<string | undefined>;
  /** Makes a text what was copied. */
  readonly writeClipboard: (user: LaunchInput, text: string) => void;
};

const CLIPBOARD = ["xclip", "-display", DISPLAY, "-selection", "clipboard"];
const CLIPBOARD_MS = 2_000;

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
  async readClipboard(user) {
    const { exitCode, stdout } = await run([...asUser(user), ...CLIPBOARD, "-o", "-t", "UTF8_STRING"], {
      timeoutMs: CLIPBOARD_MS,
      env: environmentOf(user),
    });
    return exitCode === 0 ? stdout : undefined;
  },
  writeClipboard(user, text) {
    // It stays, to answer for the text, until something else is copied: so it is not waited for.
    const child = Bun.spawn([...asUser(user), ...CLIPBOARD, "-i"], {
      ...placeOf(user),
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.unref();
    child.stdin.write(text);
    void child.stdin.end();
  },
};

/**
 * Makes a mode of that size and takes it. While suspended, nxagent goes on telling new clients the size of its last NX
 * client; to xrandr that very size is no change, so the screen is made one pixel narrower there.
 */
async function resizeScreen(user: LaunchInput, size: ScreenSize): Promise<boolean> {
  const xrandr = (...words: readonly string[]) =>
    run([...asUser(user), "xrandr", "-display", DISPLAY, ...words], {
      timeoutMs: RUN_MS,
      env: environmentOf(user),
    });
  const said = (await xrandr()).stdout;
  const told = /current (\d+) x (\d+)/.exec(said);
  const output = /^(\S+) connected/m.exec(said)?.[1];
  if (output === undefined) return false;
  const isTold = Number(told?.[1]) === size.width && Number(told?.[2]) === size.height;
  const isShown = new RegExp(`^${output} connected ${size.width}x${size.height}\\+`, "m").test(said);
  if (isTold && isShown) return true;
  const [width, height] = [isTold ? size.width - 1 : size.width, size.height];
  const mode = `qvd-${width}x${height}`;
  const timing = [width, width + 1, width + 2, width + 3, height, height + 1, height + 2, height + 3];
  // Both fail where the mode is there already.
  await xrandr("--newmode", mode, "60", ...timing.map(String));
  await xrandr("--addmode", output, mode);
  if ((await xrandr("--output", output, "--mode", mode)).exitCode !== 0) return false;
  for (const [, old = ""] of said.matchAll(/^\s+(qvd-\d+x\d+)\s/gm)) {
    if (old === mode) continue;
    await xrandr("--delmode", output, old);
    await xrandr("--rmmode", old);
  }
  return true;
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
