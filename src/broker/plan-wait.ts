/**
 * What a client that waits for its session is to be told, and whether the waiting is over. Pure: the caller
 * reads the session, the desktop and the trail, and says what it finds here.
 */

import { hidePaths } from "../domain/access/hide-paths.ts";
import type { VmId } from "../domain/ids.ts";
import { progressTexts, waitingText } from "../domain/session/progress.ts";
import type { DesktopView, SessionView, TrailEvent } from "./store.ts";

export type WaitScene = {
  readonly vmId: VmId;
  readonly session: SessionView | undefined;
  readonly desktop: DesktopView | undefined;
  /** What the trail says since the request. */
  readonly events: readonly TrailEvent[];
  readonly isOverdue: boolean;
  /** No node has taken the desktop since it was refused by all. */
  readonly isUnplaced?: boolean;
};

export type WaitPlan = {
  /** Progress of the original's vocabulary, in order. */
  readonly texts: readonly string[];
  /** What to say when nothing was said for a while. */
  readonly waiting: string;
  readonly verdict:
    | { readonly kind: "wait" }
    | {
        readonly kind: "ready";
        readonly address: string;
        readonly port: number;
        readonly elsewhere: SessionView["elsewhere"];
      }
    | { readonly kind: "refused"; readonly cause: WaitEnd; readonly reason: string };
};

/** Why a sitting ended before its session came up; kept with it. */
export type WaitEnd = "superseded" | "ended-by-administrator" | "session-failed" | "start-failed" | "timeout";

export function planWait(scene: WaitScene): WaitPlan {
  const { vmId, desktop, events } = scene;
  const texts = events.flatMap((event) => textsOf(event, vmId));
  const waiting = waitingText(vmId, { isRunning: desktop?.state === "running", queue: desktop?.queue });
  return { texts, waiting, verdict: decideVerdict(scene) };
}

/** The original knows no queue and no placement; its clients show whatever they are told. */
function textsOf(event: TrailEvent, vmId: VmId): readonly string[] {
  // Which boxes there are, and how each is, is the administrators' to know.
  if (event.code === "placement-refused")
    return ["No node can take the virtual machine now; it waits for one"];
  return event.code === "start-queued" ? [hidePaths(event.text)] : progressTexts(event.code, vmId);
}

function decideVerdict({
  vmId,
  session,
  desktop,
  events,
  isOverdue,
  isUnplaced = false,
}: WaitScene): WaitPlan["verdict"] {
  if (session === undefined || desktop === undefined)
    return refused("start-failed", "The virtual machine has been deleted");
  if (session.isSuperseded) return refused("superseded", "Another client has taken over this session");
  if (session.isEnded || session.isEndWished)
    return refused("ended-by-administrator", "An administrator has ended this session");
  if (session.state === "failed")
    return refused("session-failed", session.faultText ?? "The session could not be started");
  if (session.state === "listening" && session.address !== undefined && session.port !== undefined)
    return { kind: "ready", address: session.address, port: session.port, elsewhere: session.elsewhere };
  const givenUp = events.find((event) => event.code === "start-given-up");
  if (givenUp !== undefined) return refused("start-failed", hidePaths(givenUp.text));
  if (desktop.wish === "stopped") return refused("start-failed", `Failed to start virtual machine ${vmId}`);
  if (!isOverdue) return { kind: "wait" };
  if (desktop.state === "running") return refused("timeout", "The session didn't come up in time");
  return refused(
    "timeout",
    isUnplaced ? "No node could take it in time" : "VM didn't reach state 'running'. Timeout",
  );
}

function refused(cause: WaitEnd, reason: string): WaitPlan["verdict"] {
  return { kind: "refused", cause, reason };
}
