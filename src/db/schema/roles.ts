import { integer, pgTable, text } from "drizzle-orm/pg-core";

export const roles = pgTable("roles", {
  id: integer("id").generatedAlwaysAsIdentity().primaryKey(),
  name: text("name").notNull(),
  description: text("description").notNull().default(""),
});
