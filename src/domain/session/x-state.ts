/** State of a person's X session; nxagent's words. Said by the agent, kept in the desktop's report. */
export const X_STATES = [
  "none",
  "starting",
  "listening",
  "connected",
  "suspending",
  "suspended",
  "stopping",
] as const;
export type XState = (typeof X_STATES)[number];
