import { boolean, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { NodeId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const nodes = pgTable("nodes", {
  id: integer("id").$type<NodeId>().generatedAlwaysAsIdentity().primaryKey(),
  name: text("name").notNull(),
  isBlocked: boolean("is_blocked").notNull().default(false),
  createdAt: moment("created_at").notNull().default(qvdNow),
});
