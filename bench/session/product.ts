/** One of the products whose sessions are compared: how its own client program is started, and what its server says. */

import type { Screen } from "../screen.ts";

export type Product = {
  readonly name: string;
  /** Starts the client's program with everything that it would ask a person for. It leads a process group. */
  startClient(screen: Screen): Bun.Subprocess;
  /** Resolves as soon as the server's own record says that nobody sits at the session and that it waits. */
  waitForLeft(): Promise<void>;
  /** Resolves as soon as the session's nxagent says that it is suspended; left out where there is none. */
  waitForSuspended?(): Promise<void>;
  /** Ends the session, and for ours the desktop as well, so that the next sign-in starts from nothing. */
  endSession(): Promise<void>;
};

/** The client and whatever it has started, as if its machine had lost power. */
export async function dropClient(client: Bun.Subprocess): Promise<void> {
  try {
    process.kill(-client.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
  await client.exited;
}
