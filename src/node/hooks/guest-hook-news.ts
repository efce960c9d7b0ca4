/**
 * Brings failing hooks of images, and channels that failed in a session, into the trail. A desktop says what it likes, so how often it is believed is
 * bounded; what comes beyond is dropped.
 */

import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import type { NodeId, VmId } from "../../domain/ids.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Log } from "../../lib/log.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import type { GuestEvent } from "../guest-channel/guest-channels.ts";
import { reportChannelFailure } from "../report/report-channel.ts";
import { reportHookFailure } from "../report/report-hook.ts";

export type GuestHookNewsDeps = {
  readonly db: Db;
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when a line of the trail was written. */
  readonly onWritten: (vmId: VmId) => void;
};

const LIMITS = { perSecond: 1 / 30, burst: 10 };

export class GuestHookNews {
  readonly #deps: GuestHookNewsDeps;
  readonly #buckets = new Map<VmId, TokenBucket>();

  constructor(deps: GuestHookNewsDeps) {
    this.#deps = deps;
  }

  /** May be called with any event; only what failed inside is for it. Writes beside the caller, who needn't wait. */
  take(vmId: VmId, event: GuestEvent): void {
    if (event.type !== "hook-failed" && event.type !== "channel-failed") return;
    const { db, nodeId, clock, log, onWritten } = this.#deps;
    const nowMs = clock.monotonicMs();
    const bucket = this.#buckets.get(vmId) ?? new TokenBucket(LIMITS, nowMs);
    this.#buckets.set(vmId, bucket);
    if (!bucket.take(1, nowMs)) return;
    const { text } = event;
    attemptDatabase(`tell of what failed in desktop ${vmId}`, () =>
      event.type === "hook-failed"
        ? reportHookFailure(db, nodeId, { vmId, hook: event.hook, text })
        : reportChannelFailure(db, nodeId, { vmId, channel: event.channel, text }),
    ).then(
      () => onWritten(vmId),
      (error) => log.warn("failure-not-told", { vmId, event: event.type, error }),
    );
  }
}
