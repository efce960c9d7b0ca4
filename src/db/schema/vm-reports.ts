import { bigint, boolean, index, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { DiId, NodeId, VmId } from "../../domain/ids.ts";
import { X_STATES } from "../../domain/session/x-state.ts";
import { VM_STATES } from "../../domain/vm/state.ts";
import { moment, qvdNow } from "./columns.ts";

/** Written by node/report of the node that owns the desktop, guarded by its epoch. */
export const vmReports = pgTable(
  "vm_reports",
  {
    vmId: integer("vm_id").$type<VmId>().primaryKey(),
    nodeId: integer("node_id").$type<NodeId>(),
    epoch: bigint("epoch", { mode: "number" }).notNull(),
    state: text("state", { enum: VM_STATES }).notNull(),
    stateAt: moment("state_at").notNull().default(qvdNow),
    generationSeen: bigint("generation_seen", { mode: "number" }).notNull().default(0),
    tries: integer("tries").notNull().default(0),
    nextTryAt: moment("next_try_at"),
    diId: integer("di_id").$type<DiId>(),
    xState: text("x_state", { enum: X_STATES }).notNull().default("none"),
    hasAgent: boolean("has_agent").notNull().default(false),
    faultCode: text("fault_code"),
    faultText: text("fault_text"),
    queuePosition: integer("queue_position"),
    queueDueAt: moment("queue_due_at"),
    hasNetwork: boolean("has_network"),
    crashes: integer("crashes").notNull().default(0),
    idleSince: moment("idle_since"),
    incarnation: bigint("incarnation", { mode: "number" }).notNull().default(0),
    reportedAt: moment("reported_at").notNull().default(qvdNow),
  },
  (table) => [index("vm_reports_node").on(table.nodeId)],
);
