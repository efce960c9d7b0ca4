import { integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

export const roleAcls = pgTable(
  "role_acls",
  {
    roleId: integer("role_id").notNull(),
    acl: text("acl").notNull(),
  },
  (table) => [primaryKey({ columns: [table.roleId, table.acl] })],
);
