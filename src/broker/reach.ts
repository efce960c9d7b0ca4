/** The way to a desktop: directly where it is this box's, else through its own box's broker. */

import { SCREEN_PORT } from "../domain/session/screen-port.ts";
import { AppError } from "../lib/errors.ts";
import { type ConnectDesktopOptions, connectDesktop } from "./connect-desktop.ts";
import type { BoxIdentity } from "./relay/box-proof.ts";
import { connectRelay } from "./relay/connect-relay.ts";
import type { ReadySession } from "./request.ts";

export type ReachDeps = {
  readonly identity?: BoxIdentity | undefined;
  /** Where the node of this box lets its brokers to the screens of machines. */
  readonly consoleSocket?: string | undefined;
};

export type ReachOptions = ConnectDesktopOptions & {
  /** To its X server's own port, instead of the one that the session was given out with. */
  readonly isScreen?: boolean;
};

/** Resolves when the socket was taken; throws `unavailable` when there was none to take in time. */
export async function reach(
  deps: ReachDeps,
  session: ReadySession,
  { isScreen = false, ...options }: ReachOptions,
): Promise<void> {
  const { elsewhere } = session;
  if (elsewhere === undefined) {
    if (session.isConsole !== true)
      return connectDesktop(isScreen ? { ...session, port: SCREEN_PORT } : session, options);
    return connectDesktop({ ...session, path: requireConsoles(deps) }, options);
  }
  const { node, address } = elsewhere;
  if (address === undefined || deps.identity === undefined)
    throw new AppError("unavailable", `The session runs on node ${node}, which can't be reached from here`);
  const subject = session.visitId === undefined ? { sessionId: session.id } : { visitId: session.visitId };
  return connectRelay(deps.identity, { ...subject, address, node, isScreen }, options);
}

/** Throws `unavailable` on a broker that was not told where they are. */
export function requireConsoles({ consoleSocket }: ReachDeps): string {
  if (consoleSocket !== undefined) return consoleSocket;
  throw new AppError("unavailable", "Consoles of machines can't be reached by this broker");
}
