import { integer, pgTable, text } from "drizzle-orm/pg-core";
import type { DiId, NodeId, OsfId, UserId, VmId } from "../../domain/ids.ts";

/** Free names and values; each row belongs to exactly one thing. */
export const properties = pgTable("properties", {
  id: integer("id").generatedAlwaysAsIdentity().primaryKey(),
  userId: integer("user_id").$type<UserId>(),
  vmId: integer("vm_id").$type<VmId>(),
  nodeId: integer("node_id").$type<NodeId>(),
  osfId: integer("osf_id").$type<OsfId>(),
  diId: integer("di_id").$type<DiId>(),
  key: text("key").notNull(),
  value: text("value").notNull(),
});
