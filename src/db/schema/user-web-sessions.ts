import { integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { UserId, VmId } from "../../domain/ids.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import { bytea, moment, qvdNow } from "./columns.ts";

/** A user signed in by browser, on the port of the clients. */
export const userWebSessions = pgTable("user_web_sessions", {
  /** SHA-256 of the token, which is only with its owner. */
  tokenHash: bytea("token_hash").primaryKey(),
  userId: integer("user_id").$type<UserId>().notNull(),
  csrfToken: text("csrf_token").notNull(),
  parameters: jsonb("parameters").$type<GivenParameters>().notNull().default({}),
  createdAt: moment("created_at").notNull().default(qvdNow),
  seenAt: moment("seen_at").notNull().default(qvdNow),
  expiresAt: moment("expires_at").notNull(),
});

/** Lets its holder open one desktop, once. Gone when it was used. */
export const userWebTickets = pgTable("user_web_tickets", {
  ticketHash: bytea("ticket_hash").primaryKey(),
  sessionHash: bytea("session_hash").notNull(),
  vmId: integer("vm_id").$type<VmId>().notNull(),
  expiresAt: moment("expires_at").notNull(),
});
