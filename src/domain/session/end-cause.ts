/** Why a sitting ended, as it is kept (`sessions.end_cause`) and as people are told. */

export const END_CAUSES = {
  "client-left": "the client left",
  "signed-out": "the person signed out, or the program ended",
  "desktop-closed": "the desktop closed it",
  "desktop-stopped": "the desktop was shut down",
  "node-drained": "its node was drained, so the desktop goes down there and starts on another",
  superseded: "a newer client took over",
  "ended-by-administrator": "an administrator disconnected it",
  "ended-by-owner": "its owner ended it",
  "broker-replaced": "the broker that carried it was replaced, and its time was over",
  "broker-stopped": "the broker was stopped",
  "broker-lost": "the broker that carried it is gone",
  "broker-failed": "something went wrong in the broker",
  "node-lost": "the node whose broker carried it is lost",
  "connect-failed": "the desktop could not be reached",
  "session-failed": "the session could not be prepared",
  "start-failed": "the desktop could not be started",
  timeout: "it did not come up in time",
  "database-away": "the database went away",
  forbidden: "it was not allowed",
  blocked: "the desktop was blocked",
} as const satisfies Record<string, string>;

export type EndCause = keyof typeof END_CAUSES;

/** Of those that say only who closed the connection: when a desktop goes down in order, either may be the first. */
export function isClosedByEither(cause: string): boolean {
  return cause === "client-left" || cause === "desktop-closed";
}

/** The end of a sentence; of a cause that a newer QVD wrote, the cause itself. */
export function describeEndCause(cause: string): string {
  return isEndCause(cause) ? END_CAUSES[cause] : cause;
}

function isEndCause(cause: string): cause is EndCause {
  return Object.hasOwn(END_CAUSES, cause);
}
