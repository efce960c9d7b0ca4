import { bigint, index, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { TenantId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

/** Only ever appended to, in the transaction of the change itself. */
export const auditLog = pgTable(
  "audit_log",
  {
    id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    at: moment("at").notNull().default(qvdNow),
    tenantId: integer("tenant_id").$type<TenantId>(),
    actor: text("actor").notNull(),
    origin: text("origin"),
    action: text("action").notNull(),
    subjectKind: text("subject_kind").notNull(),
    subjectId: bigint("subject_id", { mode: "number" }),
    subjectName: text("subject_name"),
    detail: jsonb("detail"),
  },
  (table) => [
    index("audit_log_at").on(table.at.desc()),
    index("audit_log_subject").on(table.subjectKind, table.subjectId, table.id.desc()),
  ],
);
