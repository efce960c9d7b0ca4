import { integer, pgTable, text } from "drizzle-orm/pg-core";
import type { UserId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

/** Read by the auth role alone. */
export const userCredentials = pgTable("user_credentials", {
  userId: integer("user_id").$type<UserId>().primaryKey(),
  passwordHash: text("password_hash").notNull(),
  changedAt: moment("changed_at").notNull().default(qvdNow),
});
