import { bigint, boolean, index, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { AdministratorId, SessionId, VisitId, VmId } from "../../domain/ids.ts";
import { bytea, moment, qvdNow } from "./columns.ts";

export const VISIT_KINDS = ["console", "watch"] as const;
export type VisitKind = (typeof VISIT_KINDS)[number];

/** Somebody at a screen that is not theirs: from the asking, through a ticket and perhaps consent, to its end. */
export const visits = pgTable(
  "visits",
  {
    id: bigint("id", { mode: "number" }).$type<VisitId>().generatedAlwaysAsIdentity().primaryKey(),
    kind: text("kind", { enum: VISIT_KINDS }).notNull(),
    vmId: integer("vm_id").$type<VmId>().notNull(),
    /** What is watched; null of a console. */
    sessionId: bigint("session_id", { mode: "number" }).$type<SessionId>(),
    askedBy: text("asked_by").notNull(),
    askedAt: moment("asked_at").notNull().default(qvdNow),
    /** As the session's owner is told; null until an invited person comes. */
    visitor: text("visitor"),
    mayControl: boolean("may_control").notNull(),
    needsConsent: boolean("needs_consent").notNull(),
    /** SHA-256 of the ticket; null when it was used. */
    ticketHash: bytea("ticket_hash").unique(),
    ticketExpiresAt: moment("ticket_expires_at").notNull(),
    consoleKey: text("console_key"),
    /** By whose right; null for the invited. */
    administratorId: integer("administrator_id").$type<AdministratorId>(),
    signInHash: bytea("sign_in_hash"),
    signInExpiresAt: moment("sign_in_expires_at"),
    /** Over as soon as the machine's person comes to its console. */
    isYielding: boolean("is_yielding").notNull().default(false),
    beganAt: moment("began_at"),
    admittedAt: moment("admitted_at"),
    endedAt: moment("ended_at"),
    endCause: text("end_cause"),
  },
  (table) => [index("visits_session").on(table.sessionId), index("visits_vm").on(table.vmId)],
);
