import { boolean, integer, pgTable, real, text } from "drizzle-orm/pg-core";
import type { NodeId, VmId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const DRAINS = ["finish", "move"] as const;

export const nodes = pgTable("nodes", {
  id: integer("id").$type<NodeId>().generatedAlwaysAsIdentity().primaryKey(),
  name: text("name").notNull(),
  isBlocked: boolean("is_blocked").notNull().default(false),
  createdAt: moment("created_at").notNull().default(qvdNow),
  boxId: text("box_id"),
  address: text("address"),
  sharedId: text("shared_id"),
  drain: text("drain", { enum: DRAINS }),
  drainedAt: moment("drained_at"),
  weight: real("weight").notNull().default(1),
  /** Of those that run there unplaced; each is taken away once it has ended. */
  strangersToEnd: integer("strangers_to_end").$type<VmId>().array().notNull().default([]),
});
