/**
 * The process that draws the session's screen for its viewers (`../screen/serve-viewers.ts`), with which the screen's server
 * is left with keys, cursors and sizes. As the session's user, beside the agent, which it must not hold up; it ends with it.
 */

import { LineSplitter } from "../../lib/lines.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { NX_DISPLAY } from "../../wire/guest/messages.ts";
import type { LaunchInput } from "../session/launch.ts";
import { asUser, environmentOf } from "./programs.ts";
import { closePlace, isListening, openPlace, removePlace } from "./socket-place.ts";

export type ScreenPainter = {
  readonly socket: string;
  readonly isUp: () => boolean;
  end(): void;
};

export type ScreenPainterDeps = {
  /** Root's own; others may only look in. */
  readonly folder: string;
  /** Our own program. */
  readonly executable: readonly string[];
  readonly log: Log;
};

const UP_MS = 10_000;
/** What it says is the user's to forge. */
const [MOST_LINE_BYTES, MOST_LINES] = [500, 50];

/** Undefined where there can be none: X lacks what it takes. */
export async function openScreenPainter(
  { folder, executable, log }: ScreenPainterDeps,
  user: LaunchInput,
): Promise<ScreenPainter | undefined> {
  const { uid } = user.account;
  const place = openPlace(folder, { uid, gid: user.gid });
  const display = `/tmp/.X11-unix/X${NX_DISPLAY}`;
  const child = Bun.spawn([...asUser(user), ...executable, "guest", "screen", display, place.socket], {
    cwd: "/",
    env: environmentOf(user),
    // It reads its end from it: the agent's is its own.
    stdio: ["pipe", "ignore", "pipe"],
  });
  child.unref();
  let hasEnded = false;
  void child.exited.then(() => {
    hasEnded = true;
    removePlace(place);
  });
  void logLines(child.stderr, log);
  const isUp = await waitFor(() => hasEnded || isListening(place.socket), { timeoutMs: UP_MS, everyMs: 5 });
  if (isUp && !hasEnded && closePlace(place, uid))
    return { socket: place.socket, isUp: () => !hasEnded, end: () => child.kill("SIGKILL") };
  child.kill("SIGKILL");
  return undefined;
}

async function logLines(stream: ReadableStream<Uint8Array>, log: Log): Promise<void> {
  const lines = new LineSplitter(MOST_LINE_BYTES);
  let left = MOST_LINES;
  for await (const chunk of stream)
    for (const line of lines.push(chunk))
      if (line !== null && left-- > 0) log.warn("screen-painter-said", { line });
}
