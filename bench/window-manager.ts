/**
 * Openbox on a client's screen, awaited: a window that asks to be shown while openbox starts is never shown. Seen of xlogo
 * as of nxagent, whose session then is a black screen for as long as it is connected. Openbox says that it manages the
 * screen (`_NET_SUPPORTING_WM_CHECK`) well before that is over; of 20 windows that came then 16 were lost.
 */

import { existsSync, rmSync } from "node:fs";
import { waitFor } from "../src/lib/wait.ts";

const UP_MS = 60_000;

/** `folder` is one that whoever `spawn` runs programs as may write to. Throws when it doesn't come up. */
export async function startWindowManager<Child extends Bun.Subprocess>(
  spawn: (command: readonly string[]) => Child,
  folder: string,
): Promise<Child> {
  const mark = `${folder}/screen-is-managed`;
  rmSync(mark, { force: true });
  // Its own word for that it has started.
  const manager = spawn(["openbox", "--startup", `touch ${mark}`]);
  const isUp = () => existsSync(mark) || manager.exitCode !== null;
  const hasAnswered = await waitFor(isUp, { timeoutMs: UP_MS, everyMs: 10 });
  if (manager.exitCode !== null)
    throw new Error("openbox has ended: another one manages this screen, or none is there");
  if (!hasAnswered) throw new Error(`openbox did not come up in ${UP_MS / 1000} s`);
  return manager;
}
