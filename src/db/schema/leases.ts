import { bigint, boolean, integer, pgTable } from "drizzle-orm/pg-core";
import type { NodeId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

/** Written by node/lease alone. */
export const leases = pgTable("leases", {
  nodeId: integer("node_id").$type<NodeId>().primaryKey(),
  epoch: bigint("epoch", { mode: "number" }).notNull().default(1),
  renewedAt: moment("renewed_at").notNull().default(qvdNow),
  validUntil: moment("valid_until").notNull(),
  lostAt: moment("lost_at"),
  fences: boolean("fences").notNull().default(false),
});
