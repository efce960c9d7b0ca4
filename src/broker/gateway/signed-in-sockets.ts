/**
 * The open WebSockets of this worker by the web session that opened them, so that they end with it: signing out in one
 * tab ends the desktop in another, whichever worker of the site carries it. A sign-in that merely runs out cuts nobody
 * off who is at work: only what is gone before its time was ended by somebody.
 */

import type { Log } from "../../lib/log.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { WebStore } from "./web-store.ts";

export type SignedInSocket = {
  readonly token: string;
  readonly expiresAt: Date;
  readonly close: () => void;
};

export class SignedInSockets {
  readonly #web: Pick<WebStore, "listEnded">;
  readonly #log: Log;
  readonly #open = new Set<SignedInSocket>();
  /** Ends those whose web session was ended elsewhere; a database that is away ends none. */
  readonly look = oneAtATime(() => this.#lookOnce());

  constructor(web: Pick<WebStore, "listEnded">, log: Log) {
    this.#web = web;
    this.#log = log;
  }

  /** Kept until the returned function is called. */
  add(socket: SignedInSocket): () => void {
    this.#open.add(socket);
    return () => this.#open.delete(socket);
  }

  /** At once, those that this worker has. */
  end(token: string): void {
    for (const socket of [...this.#open]) if (socket.token === token) socket.close();
  }

  async #lookOnce(): Promise<void> {
    if (this.#open.size === 0) return;
    const byToken = new Map([...this.#open].map(({ token, expiresAt }) => [token, expiresAt] as const));
    try {
      for (const token of await this.#web.listEnded(byToken)) this.end(token);
    } catch (error) {
      this.#log.warn("signed-out-unknown", { error });
    }
  }
}
