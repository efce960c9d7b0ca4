import { pgTable, text } from "drizzle-orm/pg-core";
import { bytea, moment, qvdNow } from "./columns.ts";

/** A sealed bundle each, for one more box; only who holds the code can open it. */
export const joinCodes = pgTable("join_codes", {
  id: text("id").primaryKey(),
  sealed: bytea("sealed").notNull(),
  createdAt: moment("created_at").notNull().default(qvdNow),
  createdBy: text("created_by").notNull(),
  expiresAt: moment("expires_at").notNull(),
  usedAt: moment("used_at"),
  usedBy: text("used_by"),
});
