/** x11vnc, which images had before TigerVNC's server: on loopback, where everything in the desktop reaches it. */

import { run } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import { DISPLAY_PORT } from "../../wire/display/hello.ts";
import type { LaunchInput } from "../session/launch.ts";
import { asUser, DISPLAY, environmentOf, spawnAs } from "./programs.ts";
import type { ScreenServer, ScreenServerDeps, ScreenServerKind } from "./screen-server.ts";

const PROGRAM = "x11vnc";
const PORT = DISPLAY_PORT + 1;
const UP_MS = 10_000;
const KEYS_MS = 5_000;

const SERVE = [
  "-shared",
  "-forever",
  "-nopw",
  "-noipv6",
  "-nolookup",
  "-localhost",
  // Lets it follow the session's size.
  "-xrandr",
  "-q",
  // Its own keeping of selections works with neither Xvfb nor nxagent, and knows Latin-1 alone.
  "-nosel",
  // Measured: the quickest that it can.
  ...["-wait", "4", "-defer", "2"],
];

export const x11vnc: ScreenServerKind = { program: PROGRAM, open };

async function open({ isPortOpen }: ScreenServerDeps, user: LaunchInput): Promise<ScreenServer | undefined> {
  const child = spawnAs(user, [PROGRAM, "-display", DISPLAY, "-rfbport", `${PORT}`, ...SERVE]);
  let hasEnded = false;
  void child.exited.then(() => {
    hasEnded = true;
  });
  const isUp = await waitFor(() => hasEnded || isPortOpen(PORT), { timeoutMs: UP_MS, everyMs: 5 });
  if (!isUp || hasEnded) {
    child.kill();
    return undefined;
  }
  return {
    uid: user.account.uid,
    place: { hostname: "127.0.0.1", port: PORT },
    isUp: () => !hasEnded && isPortOpen(PORT),
    async releaseKeys() {
      const words = [...asUser(user), PROGRAM, "-display", DISPLAY, "-R", "clear_keys"];
      await run(words, { timeoutMs: KEYS_MS, env: environmentOf(user) });
    },
    end: child.kill,
  };
}
