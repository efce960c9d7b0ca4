/**
 * Puts a sentence before the person inside: a window on their X display where the image has a program for one,
 * else a line on every terminal. Runs as the person, so that a window is no way to root.
 */

import { NX_DISPLAY } from "../wire/guest/messages.ts";

/** Who sits there; undefined when nobody has a session. */
export type NoticeReader = { readonly login: string; readonly uid: number };

export type NoticeWorld = {
  /** Path of a program, or null when the image has none. */
  readonly which: (program: string) => string | null;
  /** Resolves with the exit code, or with undefined when it still runs after a moment: its window is up. */
  readonly start: (command: readonly string[]) => Promise<number | undefined>;
};

const TITLE = "QVD";

/** True when something was shown. */
export async function showNotice(
  text: string,
  reader: NoticeReader | undefined,
  world: NoticeWorld,
): Promise<boolean> {
  for (const command of listNoticeCommands(text, reader, world.which)) {
    const code = await world.start(command);
    if (code === undefined || code === 0) return true;
  }
  return false;
}

/** What can be tried in this image, best first. Pure but for `which`. */
export function listNoticeCommands(
  text: string,
  reader: NoticeReader | undefined,
  which: NoticeWorld["which"],
): readonly (readonly string[])[] {
  const programs: readonly (readonly [name: string, args: readonly string[]])[] = [
    ["zenity", ["--info", "--no-markup", "--width=420", `--title=${TITLE}`, `--text=${text}`]],
    ["xmessage", ["-center", "-title", TITLE, wrap(text)]],
    ["notify-send", ["--urgency=critical", "--", TITLE, text]],
  ];
  const windows =
    reader === undefined ? [] : programs.map(([name, args]) => asReader(reader, which(name), args));
  const wall = which("wall");
  return [...windows, wall === null ? undefined : [wall, text]].filter((command) => command !== undefined);
}

function asReader({ login, uid }: NoticeReader, program: string | null, args: readonly string[]) {
  if (program === null) return undefined;
  const env = [
    ...["HOME=/", `USER=${login}`, `DISPLAY=:${NX_DISPLAY}`, "PATH=/usr/bin:/bin"],
    ...[`XDG_RUNTIME_DIR=/run/user/${uid}`, `DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/${uid}/bus`],
  ];
  const drop = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--inh-caps=-all"];
  return [...drop, "env", "-i", ...env, program, ...args];
}

/** xmessage breaks no lines by itself. */
function wrap(text: string, width = 60): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Longer, and a window counts as shown. */
const SETTLE_MS = 700;

export const NOTICE_WORLD: NoticeWorld = {
  which: (program) => Bun.which(program, { PATH: "/usr/local/bin:/usr/bin:/bin" }),
  start: async (command) => {
    const child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"], detached: true });
    child.unref();
    return await Promise.race([child.exited, Bun.sleep(SETTLE_MS).then((): undefined => undefined)]);
  },
};
