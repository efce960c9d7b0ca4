import { integer, pgTable, text } from "drizzle-orm/pg-core";
import type { AdministratorId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

/** Read by the auth role alone. */
export const administratorCredentials = pgTable("administrator_credentials", {
  administratorId: integer("administrator_id").$type<AdministratorId>().primaryKey(),
  passwordHash: text("password_hash").notNull(),
  changedAt: moment("changed_at").notNull().default(qvdNow),
});
