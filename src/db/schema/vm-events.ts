import { bigint, index, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { VM_EVENT_CODES } from "../../domain/vm/event.ts";
import { moment, qvdNow } from "./columns.ts";

/** The trail; only ever appended to. */
export const vmEvents = pgTable(
  "vm_events",
  {
    id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().primaryKey(),
    vmId: integer("vm_id").$type<VmId>().notNull(),
    at: moment("at").notNull().default(qvdNow),
    nodeId: integer("node_id").$type<NodeId>(),
    code: text("code", { enum: VM_EVENT_CODES }).notNull(),
    text: text("text").notNull(),
    wishGeneration: bigint("wish_generation", { mode: "number" }).notNull().default(0),
    actor: text("actor"),
    detail: jsonb("detail"),
  },
  (table) => [index("vm_events_vm").on(table.vmId, table.id.desc())],
);
