import { integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type { TenantId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const settings = pgTable(
  "settings",
  {
    tenantId: integer("tenant_id")
      .$type<TenantId>()
      .notNull()
      .default(-1 as TenantId),
    name: text("name").notNull(),
    value: jsonb("value").notNull(),
    changedAt: moment("changed_at").notNull().default(qvdNow),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] })],
);
