/**
 * Tells the people in this node's desktops when a broker has announced the end of their session, whichever box's
 * broker that is: nobody but the node reaches them. Looks a few times a minute, at next to nothing as long as no
 * broker is replaced.
 */

import type { Db } from "../db/client.ts";
import { isDatabaseAway } from "../db/errors.ts";
import { listEndingSessions } from "../db/queries/ending-sessions.ts";
import type { NodeId, SessionId, VmId } from "../domain/ids.ts";
import { planEndNotice } from "../domain/session/plan-end-notice.ts";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";

export type EndNoticesDeps = {
  readonly db: Db;
  readonly nodeId: NodeId;
  readonly channels: { readonly notify: (vmId: VmId, text: string) => Promise<void> };
  readonly log: Log;
  readonly everyMs?: number;
};

const EVERY_MS = 15_000;

export class EndNotices {
  readonly #deps: EndNoticesDeps;
  readonly #over = new AbortController();
  /** What each session's last notice was for. */
  #told: ReadonlyMap<SessionId, number> = new Map();
  #looking: Promise<void> | undefined;

  constructor(deps: EndNoticesDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#looking = this.#lookOn(this.#over.signal);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#looking;
  }

  async #lookOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#deps.everyMs ?? EVERY_MS, signal);
      if (signal.aborted) return;
      await this.look().catch((error: unknown) => {
        if (!isDatabaseAway(error)) this.#deps.log.error("end-notices-failed", { error });
      });
    }
  }

  /** Sessions that are over are forgotten with this look. */
  async look(): Promise<void> {
    const { db, nodeId, channels, log } = this.#deps;
    const told = new Map<SessionId, number>();
    for (const { sessionId, vmId, leftMs } of await listEndingSessions(db, nodeId)) {
      const before = this.#told.get(sessionId);
      const notice = planEndNotice(leftMs, before);
      const atMs = notice?.atMs ?? before;
      if (atMs !== undefined) told.set(sessionId, atMs);
      if (notice === undefined) continue;
      log.info("session-end-told", { vmId, sessionId, leftMs: Math.round(leftMs) });
      // Whoever can't be told is told at the next of the times.
      channels
        .notify(vmId, notice.text)
        .catch((error: unknown) => log.warn("session-end-not-told", { vmId, reason: describeError(error) }));
    }
    this.#told = told;
  }
}
