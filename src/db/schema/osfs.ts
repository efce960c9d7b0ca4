import { integer, pgTable, real, text } from "drizzle-orm/pg-core";
import type { OsfId, TenantId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const osfs = pgTable("osfs", {
  id: integer("id").$type<OsfId>().generatedAlwaysAsIdentity().primaryKey(),
  tenantId: integer("tenant_id").$type<TenantId>().notNull(),
  name: text("name").notNull(),
  memoryMb: integer("memory_mb").notNull().default(1024),
  cpus: real("cpus").notNull().default(2),
  createdAt: moment("created_at").notNull().default(qvdNow),
});
