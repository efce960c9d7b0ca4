/**
 * The end of a desktop's time after a newer image was published: first the person inside is asked to restart
 * it, later it is stopped. The moments go with the life that they were set for.
 */

import type { VmFacts, VmPlan } from "./facts.ts";
import { formatSpan } from "./format-span.ts";
import { step } from "./steps.ts";

/** Of a desktop that runs. */
export function planExpiry(facts: VmFacts): VmPlan {
  const { desired, nowMs } = facts;
  const { expiresHardAtMs } = desired;
  if (expiresHardAtMs === undefined || nowMs < expiresHardAtMs) return planSoft(facts);
  const text = "A newer image was published, and the time to go on with the old one is over.";
  return {
    steps: [step("wish-stopped", { generation: desired.generation, cause: "expired", text }, text)],
    wakeAtMs: undefined,
  };
}

function planSoft({ desired, observed, nowMs, limits }: VmFacts): VmPlan {
  const { expiresSoftAtMs, expiresHardAtMs } = desired;
  const { agent } = observed;
  if (expiresSoftAtMs === undefined || observed.wasExpiryTold) return wakeAt(expiresHardAtMs);
  if (nowMs < expiresSoftAtMs) return wakeAt(min(expiresSoftAtMs, expiresHardAtMs));
  // Without an X session nobody is there to be told; who comes later is.
  if (!agent.isAttached || agent.xState === "none" || agent.xState === "stopping")
    return wakeAt(expiresHardAtMs);
  if (observed.failure?.action === "notify-guest") return wakeAt(expiresHardAtMs);
  const left = expiresHardAtMs === undefined ? undefined : formatSpan(expiresHardAtMs - nowMs);
  const text = `There is a newer version of this desktop. Please save your work and shut it down; ${
    left === undefined ? "the next start brings the new one." : `in ${left} it is stopped by itself.`
  }`;
  return {
    steps: [
      step("notify-guest", { text, timeoutMs: limits.noticeMs }, "a newer image was published"),
      step(
        "report",
        { events: [{ code: "expiry-told", text: `The person inside was told: ${text}` }] },
        "its soft expiry has passed",
      ),
    ],
    wakeAtMs: undefined,
  };
}

function min(one: number, other: number | undefined): number {
  return other === undefined ? one : Math.min(one, other);
}

function wakeAt(wakeAtMs: number | undefined): VmPlan {
  return { steps: [], wakeAtMs };
}
