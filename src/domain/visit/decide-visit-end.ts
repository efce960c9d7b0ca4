/**
 * Whether somebody may stay at a screen that is not theirs. Asked again all the time a visit lasts, by the broker that
 * carries it and by the node at whose door a console is: the right to it can be lost at any moment.
 */

import type { AdministratorActor } from "../access/actor.ts";
import { decideAccess } from "../access/decide-access.ts";
import type { TenantId } from "../ids.ts";

export const VISIT_ENDS = [
  "left",
  "refused",
  "sent-away",
  "desktop-closed",
  "session-over",
  "not-answered",
  "too-slow",
  "right-lost",
  "signed-out",
  "person-came",
] as const;

export type VisitEnd = (typeof VISIT_ENDS)[number];

export type VisitFacts = {
  readonly kind: "console" | "watch";
  /** A watch that may control needs another right. */
  readonly mayControl: boolean;
  readonly tenantId: TenantId;
  readonly isEnded: boolean;
  readonly endCause: string | null;
  /** Longer than any visit is, or what it watches is over. */
  readonly isOutlived: boolean;
  /** The machine's person sits at its console now, and this visit gives way to them. */
  readonly isPersonThere: boolean;
  /** By an administrator's right; those who were invited come by the session's owner's. */
  readonly isByRight: boolean;
  /** The administrator with their rights as they are now; undefined when blocked or gone. */
  readonly asker: AdministratorActor | undefined;
  /** Their sign-in was ended before its time; that it ran out ends nothing. */
  readonly isSignedOut: boolean;
};

/** Undefined while it may go on. */
export function decideVisitEnd(facts: VisitFacts): VisitEnd | undefined {
  if (facts.isEnded) return VISIT_ENDS.find((one) => one === facts.endCause) ?? "session-over";
  if (facts.isOutlived) return "session-over";
  if (facts.isByRight && !hasRight(facts)) return "right-lost";
  if (facts.isByRight && facts.isSignedOut) return "signed-out";
  if (facts.isPersonThere) return "person-came";
  return undefined;
}

function hasRight({ kind, mayControl, tenantId, asker }: VisitFacts): boolean {
  if (asker === undefined) return false;
  const watching = mayControl ? "session.control" : "session.watch";
  const action = kind === "console" ? "vm.open-console" : watching;
  return decideAccess(asker, action, { tenantId }) === "allowed";
}
