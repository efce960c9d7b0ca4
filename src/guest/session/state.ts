/**
 * States of the person's X session and what moves it from one to another. Most events are nxagent's own log
 * lines (`log-line.ts`); the rest are what the agent itself does or sees.
 *
 *            start-ordered              waiting-for-client
 *     none ────────────────► starting ────────────────────► listening
 *      ▲                       ▲  │                             │
 *      │          wake-ordered │  └──────────┐ client-connected │ client-connected
 *      │          resume-began │             ▼                  ▼
 *      │                    suspended ◄── suspending ◄────── connected
 *      │                        suspended     suspend-began
 *      │    gone                       end-began
 *      └────────── stopping ◄───────────────────── any
 *
 * A listening session goes back to `suspended` when nobody comes for 60 s after a wake, and ends when nobody
 * comes after its first start. `gone` (no process any more) leads to `none` from everywhere.
 */

import type { XState } from "../../domain/session/x-state.ts";

export type SessionEvent =
  | "start-ordered"
  | "wake-ordered"
  | "waiting-for-client"
  | "client-connected"
  | "suspend-began"
  | "suspended"
  | "resume-began"
  | "end-began"
  | "gone";

type Row = Readonly<Partial<Record<SessionEvent, XState>>>;

const TRANSITIONS = {
  none: { "start-ordered": "starting", gone: "none" },
  starting: {
    "resume-began": "starting",
    "waiting-for-client": "listening",
    "client-connected": "connected",
    "suspend-began": "suspending",
    suspended: "suspended",
    "end-began": "stopping",
    gone: "none",
  },
  listening: {
    "waiting-for-client": "listening",
    "client-connected": "connected",
    "suspend-began": "suspending",
    suspended: "suspended",
    "end-began": "stopping",
    gone: "none",
  },
  connected: { "suspend-began": "suspending", suspended: "suspended", "end-began": "stopping", gone: "none" },
  suspending: { suspended: "suspended", "end-began": "stopping", gone: "none" },
  suspended: {
    "wake-ordered": "starting",
    "resume-began": "starting",
    "end-began": "stopping",
    gone: "none",
  },
  // `suspend-began` and the like are nxagent's last words on its way out.
  stopping: { gone: "none" },
} satisfies Record<XState, Row>;

/** The state after `event`; undefined when it can't happen there, and the state then stays. */
export function nextState(state: XState, event: SessionEvent): XState | undefined {
  const row: Row = TRANSITIONS[state];
  return row[event];
}
