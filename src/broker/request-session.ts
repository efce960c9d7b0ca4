/**
 * Records a session's request and waits until the desktop's node has it listening, keeping the client
 * informed. Every way out but `ready` leaves the sitting ended in the database.
 */

import type { SessionAccess } from "../db/schema/sessions.ts";
import type { SessionId, VmId } from "../domain/ids.ts";
import type { ClientParameters, GivenParameters } from "../domain/session/client-parameters.ts";
import { requestTexts } from "../domain/session/progress.ts";
import { describeError, isAppError } from "../lib/errors.ts";
import { planWait, type WaitPlan } from "./plan-wait.ts";
import type { EndpointDeps, ReadySession } from "./request.ts";
import type { Asker, RequestedSession } from "./store.ts";
import type { Alarm } from "./wakes.ts";

export type SessionWish = {
  readonly asker: Asker;
  readonly vmId: VmId;
  readonly client: ClientParameters;
  /** What shows the desktop; an NX client unless it says so. */
  readonly access?: SessionAccess | undefined;
  /** What an authenticator gives the desktop. */
  readonly parameters?: GivenParameters | undefined;
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
};

export type SessionResult =
  | { readonly kind: "ready"; readonly session: ReadySession }
  | { readonly kind: "refused"; readonly reason: string };

export async function requestSession(deps: EndpointDeps, wish: SessionWish): Promise<SessionResult> {
  const { vmId } = wish;
  const slaveKey = deps.createSlaveKey();
  // Before the request, so that no wake falls between.
  const alarm = deps.wakes.subscribe(vmId);
  let sessionId: SessionId | undefined;
  try {
    if (wish.signal.aborted) return { kind: "refused", reason: "The client left" };
    const { asker, client, access, parameters } = wish;
    const request = { asker, vmId, client, access, parameters, slaveKey };
    const requested = await deps.store.requestSession(request);
    sessionId = requested.sessionId;
    deps.wake(vmId);
    const end = await waitForSession(deps, wish, { ...requested, alarm });
    if (end.kind === "ready") {
      const isConsole = access === "console";
      return { kind: "ready", session: { ...end, id: sessionId, vmId, slaveKey, isConsole } };
    }
    deps.recordEnd(sessionId, end.cause);
    deps.wake(vmId);
    return { kind: "refused", reason: end.reason };
  } catch (error) {
    if (sessionId !== undefined) deps.recordEnd(sessionId, isAppError(error) ? error.code : "broker-failed");
    if (!isAppError(error)) throw error;
    return { kind: "refused", reason: describeError(error) };
  } finally {
    alarm.close();
  }
}

type Waiting = RequestedSession & { readonly alarm: Alarm };
type WaitResult =
  | Extract<WaitPlan["verdict"], { readonly kind: "ready" }>
  | { readonly kind: "refused"; readonly cause: string; readonly reason: string };

async function waitForSession(
  { store, limits }: EndpointDeps,
  wish: SessionWish,
  waiting: Waiting,
): Promise<WaitResult> {
  const { vmId, signal } = wish;
  const startMs = performance.now();
  let lastEventId = waiting.eventId;
  requestTexts(vmId, waiting).forEach(wish.tell);
  let toldMs = startMs;
  let isUnplaced = false;
  while (!signal.aborted) {
    const { session, desktop, events } = await store.readWait(waiting.sessionId, lastEventId);
    lastEventId = events.at(-1)?.id ?? lastEventId;
    const nowMs = performance.now();
    const isOverdue = nowMs - startMs >= limits.startMs;
    for (const { code } of events)
      isUnplaced = code === "placement-refused" || (isUnplaced && code !== "start-taken");
    const plan = planWait({ vmId, session, desktop, events, isOverdue, isUnplaced });
    plan.texts.forEach(wish.tell);
    if (plan.verdict.kind !== "wait") return plan.verdict;
    if (nowMs - toldMs >= limits.pollMs) {
      wish.tell(plan.waiting);
      toldMs = nowMs;
    }
    await waiting.alarm.next(limits.pollMs, signal);
  }
  return { kind: "refused", cause: "client-left", reason: "The client left" };
}
