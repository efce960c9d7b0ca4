/** The sitting of a client: from the request in the database to an X session that waits for the client. */

import type { VmFacts, VmPlan, VmSession } from "./facts.ts";
import { beside, step, type VmStep } from "./steps.ts";

/** Of a desktop that runs and is well. */
export function planSession(facts: VmFacts, session: VmSession | undefined): VmPlan {
  const idle = { steps: [], wakeAtMs: undefined };
  if (session === undefined || session.state === "listening" || session.state === "failed") return idle;
  const { observed, nowMs, limits } = facts;
  if (observed.failure?.action === "prepare-session") return failSession(session, observed.failure);
  if (!observed.agent.isAttached) {
    const due = session.requestedAtMs + limits.sessionAgentMs;
    if (nowMs < due) return { steps: [], wakeAtMs: due };
    return failSession(session, { code: "timeout", text: "The agent inside the desktop does not answer." });
  }
  const preparing =
    session.state === "preparing"
      ? []
      : [
          beside(
            step(
              "report-session",
              {
                sessionId: session.id,
                state: "preparing",
                events: [
                  { code: "session-preparing", text: "The session is being prepared inside the desktop." },
                ],
              },
              "a client waits",
            ),
          ),
        ];
  return {
    steps: [
      ...preparing,
      step(
        "prepare-session",
        { sessionId: session.id, timeoutMs: limits.sessionPrepareMs },
        "a client waits for its X session",
      ),
      reportListening(session),
    ],
    wakeAtMs: undefined,
  };
}

/**
 * The session that began with the desktop is given out as soon as its nxagent listens: whoever waits for it needs no agent.
 * Undefined where there is none, or nobody waits for it.
 */
export function planEarlySession({ desired: { session }, observed }: VmFacts): VmPlan | undefined {
  const { earlySession, network } = observed;
  const isWaiting = session?.state === "requested" || session?.state === "preparing";
  const isReady = earlySession?.isListening === true && network?.isOk !== false;
  if (!isWaiting || !isReady || earlySession.sessionId !== session.id) return undefined;
  return { steps: [reportListening(session)], wakeAtMs: undefined };
}

function reportListening(session: VmSession): VmStep {
  return step(
    "report-session",
    {
      sessionId: session.id,
      state: "listening",
      events: [{ code: "session-listening", text: "The session is ready and waits for the client." }],
    },
    "its X session waits for the client",
  );
}

/** A client that waits for a desktop that will not come is told so, with the reason. */
export function failWaitingSession(session: VmSession | undefined, text: string): VmPlan {
  if (session === undefined || session.state === "listening" || session.state === "failed")
    return { steps: [], wakeAtMs: undefined };
  return failSession(session, { code: "unavailable", text });
}

function failSession(session: VmSession, fault: { readonly code: string; readonly text: string }): VmPlan {
  return {
    steps: [
      step(
        "report-session",
        {
          sessionId: session.id,
          state: "failed",
          fault: { code: fault.code, text: fault.text },
          events: [{ code: "session-failed", text: `The session could not be prepared: ${fault.text}` }],
        },
        fault.text,
      ),
    ],
    wakeAtMs: undefined,
  };
}
