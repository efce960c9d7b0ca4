/**
 * Answers desktops whose screen is to be unlocked: the desktop says what was typed, the database whose desktop it is, and
 * auth whether that is this person's. What a desktop says of its user counts for nothing. As a desktop's root could guess
 * its user's password here, tries are few; auth slows them down as any others.
 */

import type { AuthClient } from "../auth/client.ts";
import type { Db } from "../db/client.ts";
import { readVmOwner } from "../db/queries/vm-owner.ts";
import type { NodeId, VmId } from "../domain/ids.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import type { GuestChannels, GuestEvent } from "./guest-channel/guest-channels.ts";

export type UnlockScreensDeps = {
  readonly db: Db;
  readonly nodeId: NodeId;
  readonly auth: Pick<AuthClient, "ask">;
  readonly channels: () => Pick<GuestChannels, "answerUnlock">;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** Ten at once for somebody who mistypes, then one in six seconds. */
const LIMITS = { perSecond: 1 / 6, burst: 10 };
const TOO_MANY = "Too many tries. Wait a minute, and try again.";
const AWAY = "This can't be looked at for the moment. Try again in a minute.";

type Verdict = { readonly isUnlocked: boolean; readonly text: string };

export class UnlockScreens {
  readonly #deps: UnlockScreensDeps;
  readonly #buckets = new Map<VmId, TokenBucket>();

  constructor(deps: UnlockScreensDeps) {
    this.#deps = deps;
  }

  /** May be called with any event; only questions of screens are for it. Answers beside the caller. */
  take(vmId: VmId, event: GuestEvent): void {
    if (event.type !== "unlock-asked") return;
    const { log, clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const bucket = this.#buckets.get(vmId) ?? new TokenBucket(LIMITS, nowMs);
    this.#buckets.set(vmId, bucket);
    const { request, secret } = event;
    const answer = (verdict: Verdict) => {
      log.info("screen-unlock-asked", { vmId, isUnlocked: verdict.isUnlocked });
      this.#deps.channels().answerUnlock(vmId, { request, ...verdict });
    };
    if (!bucket.take(1, nowMs)) return void answer({ isUnlocked: false, text: TOO_MANY });
    this.#decide(vmId, secret).then(answer, (error) => {
      log.warn("screen-unlock-failed", { vmId, error });
      answer({ isUnlocked: false, text: AWAY });
    });
  }

  async #decide(vmId: VmId, secret: string): Promise<Verdict> {
    const { db, nodeId, auth, signal } = this.#deps;
    const owner = await readVmOwner(db, vmId, nodeId);
    if (owner === undefined) return { isUnlocked: false, text: "" };
    const { userId, address } = owner;
    const origin = address ?? `desktop ${vmId}`;
    const reply = await auth.ask({ kind: "unlock", userId, vmId, secret, origin }, signal);
    switch (reply.outcome) {
      case "unlocked":
        return { isUnlocked: true, text: "" };
      case "busy":
        return { isUnlocked: false, text: TOO_MANY };
      case "unavailable":
        return { isUnlocked: false, text: AWAY };
      default:
        return { isUnlocked: false, text: "" };
    }
  }
}
