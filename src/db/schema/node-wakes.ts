import { bigint, integer, pgTable } from "drizzle-orm/pg-core";
import type { NodeId } from "../../domain/ids.ts";

/** Written by node/report alone; read by each box, its own row. */
export const nodeWakes = pgTable("node_wakes", {
  nodeId: integer("node_id").$type<NodeId>().primaryKey(),
  count: bigint("count", { mode: "number" }).notNull().default(0),
});
