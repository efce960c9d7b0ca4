import { boolean, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { AdministratorId, TenantId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const administrators = pgTable("administrators", {
  id: integer("id").$type<AdministratorId>().generatedAlwaysAsIdentity().primaryKey(),
  /** 0 is the site itself. */
  tenantId: integer("tenant_id")
    .$type<TenantId>()
    .notNull()
    .default(0 as TenantId),
  login: text("login").notNull(),
  isBlocked: boolean("is_blocked").notNull().default(false),
  /** The issuer whose groups say what they may do; null for one who was created here. */
  provider: text("provider"),
  createdAt: moment("created_at").notNull().default(qvdNow),
});
