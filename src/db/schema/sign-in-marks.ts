import { index, integer, pgTable, text } from "drizzle-orm/pg-core";
import { moment, qvdNow } from "./columns.ts";

export const MARK_LANES = ["pair", "account", "address", "code", "proved"] as const;

export const signInMarks = pgTable(
  "sign_in_marks",
  {
    id: text("id").primaryKey(),
    lane: text("lane", { enum: MARK_LANES }).notNull(),
    key: text("key").notNull(),
    failures: integer("failures").notNull(),
    lastAt: moment("last_at").notNull().default(qvdNow),
    expiresAt: moment("expires_at").notNull(),
  },
  (table) => [index("sign_in_marks_expires").on(table.expiresAt)],
);
