import { integer, pgTable, text } from "drizzle-orm/pg-core";
import type { AdministratorId } from "../../domain/ids.ts";
import { bytea, moment, qvdNow } from "./columns.ts";

export const administratorSessions = pgTable("administrator_sessions", {
  /** SHA-256 of the token, which is only with its owner. */
  tokenHash: bytea("token_hash").primaryKey(),
  administratorId: integer("administrator_id").$type<AdministratorId>().notNull(),
  csrfToken: text("csrf_token").notNull(),
  createdAt: moment("created_at").notNull().default(qvdNow),
  seenAt: moment("seen_at").notNull().default(qvdNow),
  expiresAt: moment("expires_at").notNull(),
});
