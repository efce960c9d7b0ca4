/** The way to a desktop: directly where it is this box's, else through its own box's broker. */

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

/** Resolves when the socket was taken; throws `unavailable` when there was none to take in time. */
export async function reach(
  deps: ReachDeps,
  session: ReadySession,
  options: ConnectDesktopOptions,
): Promise<void> {
  const { elsewhere } = session;
  if (elsewhere === undefined) {
    if (session.isConsole !== true) return connectDesktop(session, options);
    return connectDesktop({ ...session, path: requireConsoles(deps) }, options);
  }
  const { node, address } = elsewhere;
  if (address === undefined || deps.identity === undefined)
    throw new AppError("unavailable", `The session runs on node ${node}, which can't be reached from here`);
  const subject = session.visitId === undefined ? { sessionId: session.id } : { visitId: session.visitId };
  return connectRelay(deps.identity, { ...subject, address, node }, options);
}

/** Throws `unavailable` on a broker that was not told where they are. */
export function requireConsoles({ consoleSocket }: ReachDeps): string {
  if (consoleSocket !== undefined) return consoleSocket;
  throw new AppError("unavailable", "Consoles of machines can't be reached by this broker");
}
