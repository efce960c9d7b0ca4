import { boolean, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { TenantId, UserId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const users = pgTable("users", {
  id: integer("id").$type<UserId>().generatedAlwaysAsIdentity().primaryKey(),
  tenantId: integer("tenant_id").$type<TenantId>().notNull(),
  login: text("login").notNull(),
  fullName: text("full_name").notNull().default(""),
  isBlocked: boolean("is_blocked").notNull().default(false),
  createdAt: moment("created_at").notNull().default(qvdNow),
});
