import { describeEndCause } from "./end-cause.ts";

export type EndedSession = {
  readonly endCause: string | null;
  readonly supersededAt: Date | null;
  /** Why it could not be prepared. */
  readonly fault: string | null;
};

/** Why a sitting is over, as far as anybody knows; null while it goes on. */
export function explainEnd({ endCause, supersededAt, fault }: EndedSession): string | null {
  if (endCause === "session-failed" && fault !== null) return fault;
  if (endCause !== null) return describeEndCause(endCause);
  return supersededAt === null ? null : describeEndCause("superseded");
}
