/**
 * What serves the session's display as RFB inside the desktop, for the display door alone: TigerVNC's scraping server, or
 * x11vnc in images from before it. A box may be newer than its images, so whatever is there is taken, the better one first.
 */

import { waitFor } from "../../lib/wait.ts";
import type { LaunchInput } from "../session/launch.ts";
import { isAlive, listProcesses, signalProcess } from "../session/processes.ts";
import { PROGRAM_PATH } from "./programs.ts";
import type { ScreenPainterDeps } from "./screen-painter.ts";
import type { SpareKeys } from "./spare-keys.ts";
import { tigervnc } from "./tigervnc.ts";
import { x11vnc } from "./x11vnc.ts";

/** A socket's path, or a port of loopback. */
export type ScreenPlace =
  | { readonly unix: string }
  | { readonly hostname: "127.0.0.1"; readonly port: number };

export type ScreenServer = {
  readonly uid: number;
  readonly place: ScreenPlace;
  /** What its viewers prove to know: the session's key. They may then come to a port of its own as well. */
  readonly key?: string;
  /** The socket of what makes the pictures in its place. */
  readonly painter?: string;
  readonly isUp: () => boolean;
  /** Of a server that presses only keys that the keyboard has. */
  readonly keys?: SpareKeys;
  /** Lifts whatever key a viewer that vanished held down. */
  readonly releaseKeys: () => Promise<void>;
  end(): void;
};

export type ScreenServerDeps = ScreenPainterDeps & {
  /** Whether that port of this desktop listens, from the kernel's tables. */
  readonly isPortOpen: (port: number) => boolean;
};

export type ScreenServerKind = {
  readonly program: string;
  /** Undefined when it didn't come up. Throws when it can't be started. */
  readonly open: (deps: ScreenServerDeps, user: LaunchInput) => Promise<ScreenServer | undefined>;
};

/** The better one first. */
export const KINDS: readonly ScreenServerKind[] = [tigervnc, x11vnc];
const LEAVE_MS = 500;
const STRAY_MS = 2_000;

/** A text says why there is none. */
export async function openScreenServer(
  deps: ScreenServerDeps,
  user: LaunchInput,
): Promise<ScreenServer | string> {
  await endStrays(user.account.uid);
  const kinds = listInstalled(KINDS, (program) => Bun.which(program, { PATH: PROGRAM_PATH }) !== null);
  for (const kind of kinds) {
    const server = await kind.open(deps, user);
    if (server !== undefined) return server;
  }
  if (kinds.length > 0) return `${kinds.map(({ program }) => program).join(" and ")} did not come up`;
  return "the image has nothing that shows a session to a browser: it needs tigervnc-scraping-server";
}

/** In the order in which they are tried. */
export function listInstalled(
  kinds: readonly ScreenServerKind[],
  isInstalled: (program: string) => boolean,
): readonly ScreenServerKind[] {
  return kinds.filter(({ program }) => isInstalled(program));
}

/** One that an agent before us started would be in the way. */
async function endStrays(uid: number): Promise<void> {
  const names = KINDS.map(({ program }) => program);
  const strays = listProcesses().filter((one) => names.includes(one.name) && one.uid === uid);
  // Asked first, as they have memory of the display's to give back.
  for (const [signal, timeoutMs] of [
    ["SIGTERM", LEAVE_MS],
    ["SIGKILL", STRAY_MS],
  ] as const) {
    for (const stray of strays) signalProcess(stray, signal);
    if (await waitFor(() => !strays.some(isAlive), { timeoutMs, everyMs: 5 })) return;
  }
}
