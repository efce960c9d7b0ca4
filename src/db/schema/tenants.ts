import { boolean, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { TenantId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const tenants = pgTable("tenants", {
  id: integer("id").$type<TenantId>().generatedByDefaultAsIdentity().primaryKey(),
  name: text("name").notNull(),
  isBlocked: boolean("is_blocked").notNull().default(false),
  createdAt: moment("created_at").notNull().default(qvdNow),
});
