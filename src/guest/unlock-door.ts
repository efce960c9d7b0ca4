/**
 * Where programs that lock the screen ask whether what was typed unlocks it: a socket in the agent's folder that belongs
 * to the session's user, who alone may connect. The agent passes it on to its node, and knows no password itself.
 * Asked by `qvd guest unlock`, which PAM runs (appliance/images/light/files/etc/pam.d/i3lock).
 */

import { chmodSync, chownSync } from "node:fs";
import { type LineConnection, listenLines } from "../lib/line-socket.ts";
import type { Log } from "../lib/log.ts";
import type { FromGuest, ToGuest } from "../wire/guest/messages.ts";

export type UnlockVerdict = { readonly isUnlocked: boolean; readonly text: string };

export type UnlockDoorDeps = {
  readonly path: string;
  /** False while the node is away. */
  readonly send: (message: Extract<FromGuest, { type: "unlock" }>) => boolean;
  /** Whose session runs; undefined while there is none. */
  readonly whose: () => { readonly login: string; readonly uid: number } | undefined;
  readonly log: Log;
};

/** Longer than auth lets a guesser wait. */
const ANSWER_MS = 30_000;
const MOST_LINE_BYTES = 4096;
const MOST_CONNECTIONS = 4;
const MOST_WAITING = 2;
export const MOST_SECRET_CHARACTERS = 1024;

type Waiting = { readonly connection: LineConnection; readonly timer: ReturnType<typeof setTimeout> };

export class UnlockDoor {
  readonly #deps: UnlockDoorDeps;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #ownerUid: number | undefined;
  #listener: { stop(): void } | undefined;

  constructor(deps: UnlockDoorDeps) {
    this.#deps = deps;
  }

  /** To be called whenever the session may have changed: the door belongs to its user. */
  admit(): void {
    const uid = this.#deps.whose()?.uid;
    if (uid === undefined || uid === this.#ownerUid) return;
    const { path, log } = this.#deps;
    try {
      this.#listener ??= listenLines(path, {
        mostLineBytes: MOST_LINE_BYTES,
        mostConnections: MOST_CONNECTIONS,
        onLine: (connection, line) => this.#take(connection, line),
        onLongLine: (connection) => connection.close(),
      });
      chmodSync(path, 0o600);
      chownSync(path, uid, 0);
      this.#ownerUid = uid;
    } catch (error) {
      // A screen that can't be unlocked is bad; a desktop without an agent is worse.
      log.error("unlock-door-not-opened", { path, error });
    }
  }

  /** The node's answer. One that nobody waits for any more is dropped. */
  answer({ request, isUnlocked, text }: Extract<ToGuest, { type: "unlock-verdict" }>): void {
    this.#settle(request, { isUnlocked, text });
  }

  close(): void {
    for (const request of this.#waiting.keys()) this.#settle(request, AWAY);
    this.#listener?.stop();
  }

  #take(connection: LineConnection, line: string): void {
    const asked = parseAsked(line);
    const whose = this.#deps.whose();
    const refuse = (text: string): void => connection.send(JSON.stringify({ isUnlocked: false, text }));
    if (asked === undefined || whose === undefined || asked.login !== whose.login) return void refuse("");
    if (this.#waiting.size >= MOST_WAITING) return void refuse("Wait a moment, and try again.");
    const request = ++this.#last;
    if (!this.#deps.send({ type: "unlock", request, secret: asked.secret })) return void refuse(AWAY.text);
    const timer = setTimeout(() => this.#settle(request, AWAY), ANSWER_MS);
    this.#waiting.set(request, { connection, timer });
  }

  #settle(request: number, verdict: UnlockVerdict): void {
    const waiting = this.#waiting.get(request);
    if (waiting === undefined) return;
    this.#waiting.delete(request);
    clearTimeout(waiting.timer);
    waiting.connection.send(JSON.stringify(verdict));
  }
}

const AWAY: UnlockVerdict = {
  isUnlocked: false,
  text: "This can't be looked at for the moment. Try again in a minute.",
};

function parseAsked(line: string): { readonly login: string; readonly secret: string } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("login" in value) || !("secret" in value))
      return undefined;
    const { login, secret } = value;
    if (typeof login !== "string" || typeof secret !== "string") return undefined;
    return secret.length > MOST_SECRET_CHARACTERS ? undefined : { login, secret };
  } catch {
    // Not JSON, so not a question either.
    return undefined;
  }
}
