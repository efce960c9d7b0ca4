import { integer, pgTable, primaryKey } from "drizzle-orm/pg-core";
import type { AdministratorId } from "../../domain/ids.ts";

export const administratorRoles = pgTable(
  "administrator_roles",
  {
    administratorId: integer("administrator_id").$type<AdministratorId>().notNull(),
    roleId: integer("role_id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.administratorId, table.roleId] })],
);
