import { bigint, integer, pgTable } from "drizzle-orm/pg-core";
import type { AdministratorId, UserId } from "../../domain/ids.ts";
import { bytea, moment, qvdNow } from "./columns.ts";

export const secondFactors = pgTable("second_factors", {
  id: integer("id").generatedAlwaysAsIdentity().primaryKey(),
  /** Of a user or of an administrator: one of the two is set. */
  userId: integer("user_id").$type<UserId>(),
  administratorId: integer("administrator_id").$type<AdministratorId>(),
  /** Opened by the auth process alone. */
  sealedSecret: bytea("sealed_secret").notNull(),
  lastStep: bigint("last_step", { mode: "number" }).notNull(),
  createdAt: moment("created_at").notNull().default(qvdNow),
});
