import { integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { NodeId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const NODE_STATES = ["starting", "running", "stopping", "stopped"] as const;

/** Written by node/report alone. */
export const nodeReports = pgTable("node_reports", {
  nodeId: integer("node_id").$type<NodeId>().primaryKey(),
  state: text("state", { enum: NODE_STATES }).notNull(),
  facts: jsonb("facts").notNull(),
  startedAt: moment("started_at").notNull(),
  reportedAt: moment("reported_at").notNull().default(qvdNow),
});
