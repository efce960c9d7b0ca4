/** The way to a desktop: directly where it is this box's, else through its own box's broker. */

import { AppError } from "../lib/errors.ts";
import { type ConnectDesktopOptions, connectDesktop } from "./connect-desktop.ts";
import type { BoxIdentity } from "./relay/box-proof.ts";
import { connectRelay } from "./relay/connect-relay.ts";
import type { ReadySession } from "./request.ts";

export type ReachDeps = { readonly identity?: BoxIdentity | undefined };

/** Resolves when the socket was taken; throws `unavailable` when there was none to take in time. */
export async function reach(
  deps: ReachDeps,
  session: ReadySession,
  options: ConnectDesktopOptions,
): Promise<void> {
  const { elsewhere } = session;
  if (elsewhere === undefined) return connectDesktop(session, options);
  const { node, address } = elsewhere;
  if (address === undefined || deps.identity === undefined)
    throw new AppError("unavailable", `The session runs on node ${node}, which can't be reached from here`);
  return connectRelay(deps.identity, { sessionId: session.id, address, node }, options);
}
