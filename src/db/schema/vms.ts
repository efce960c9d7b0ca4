import { sql } from "drizzle-orm";
import { bigint, boolean, index, inet, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { NodeId, OsfId, TenantId, UserId, VmId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const VM_WISHES = ["running", "stopped"] as const;
export type VmWish = (typeof VM_WISHES)[number];

/** Intent only; what is true of a desktop is in `vm_reports`. */
export const vms = pgTable(
  "vms",
  {
    id: integer("id").$type<VmId>().generatedAlwaysAsIdentity().primaryKey(),
    tenantId: integer("tenant_id").$type<TenantId>().notNull(),
    userId: integer("user_id").$type<UserId>().notNull(),
    osfId: integer("osf_id").$type<OsfId>().notNull(),
    diTag: text("di_tag").notNull().default("default"),
    name: text("name").notNull(),
    // For life.
    address: inet("address").notNull(),
    idSlot: integer("id_slot").notNull(),
    isBlocked: boolean("is_blocked").notNull().default(false),
    blockedReason: text("blocked_reason"),
    createdAt: moment("created_at").notNull().default(qvdNow),
    deletedAt: moment("deleted_at"),
    // Each change is one generation; written through service/vm/record-wish.
    wish: text("wish", { enum: VM_WISHES }).notNull().default("stopped"),
    wishGeneration: bigint("wish_generation", { mode: "number" }).notNull().default(0),
    wishedAt: moment("wished_at"),
    wishedBy: text("wished_by"),
    // Placement: written by service/vm/place alone.
    nodeId: integer("node_id").$type<NodeId>(),
    epoch: bigint("epoch", { mode: "number" }).notNull().default(0),
    expiresSoftAt: moment("expires_soft_at"),
    expiresHardAt: moment("expires_hard_at"),
    // What `vms_needs_node` lists: computed, so that a wish for a placed desktop touches no index.
    needsNode: boolean("needs_node")
      .notNull()
      .generatedAlwaysAs(sql`node_id is null and (wish = 'running' or deleted_at is not null)`),
  },
  (table) => [
    index("vms_node").on(table.nodeId),
    index("vms_user").on(table.userId),
    index("vms_needs_node").on(table.id).where(sql`needs_node`),
  ],
);
