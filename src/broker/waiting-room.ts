/**
 * People whose password waits for its turn in a crowd. Who can be told where they stand is told; who is sent away is held
 * for a few seconds first, since their next try is a connection with a handshake, which costs more than one that lies idle.
 */

import { sleep } from "../lib/wait.ts";
import type { AuthPlace } from "../wire/auth/messages.ts";
import type { RequestHead } from "../wire/client/request-head.ts";

const MOST_HELD = 1_000;
const MOST_HOLD_MS = 5_000;
/** Shorter waits need no words. */
const TELL_FROM_MS = 2_000;

export class WaitingRoom {
  readonly #random: () => number;
  #held = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Resolves at once where too many are held already. Not all in step: they would come again in step. */
  async hold(retryMs: number, signal: AbortSignal): Promise<void> {
    if (this.#held >= MOST_HELD) return;
    this.#held++;
    try {
      await sleep(Math.min(MOST_HOLD_MS, retryMs) * (0.5 + this.#random() / 2), signal);
    } finally {
      this.#held--;
    }
  }
}

/**
 * Whether a client reads on after a 102. All do where the original sends some; elsewhere those alone that are built on
 * libcurl, and ours. One without a name counts 102s (`tell-few.ts`), and has better use for them.
 */
export function readsProgress({ path, headers }: Pick<RequestHead, "path" | "headers">): boolean {
  const agent = headers.get("user-agent");
  if (agent === undefined) return false;
  if (path === "/qvd/connect_to_vm" || path === "/qvd/stop_vm") return true;
  return agent === "qvd-connect" || /curl\//.test(agent);
}

/** Undefined for who is there in a moment. */
export function describePlace({ number, waitMs }: Pick<AuthPlace, "number" | "waitMs">): string | undefined {
  if (waitMs < TELL_FROM_MS) return undefined;
  return `Many people sign in: number ${number} in the queue, about ${Math.ceil(waitMs / 1_000)} s`;
}
