import { integer, pgTable, primaryKey } from "drizzle-orm/pg-core";
import { bytea, moment } from "./columns.ts";

export const recoveryCodes = pgTable(
  "recovery_codes",
  {
    secondFactorId: integer("second_factor_id").notNull(),
    codeHash: bytea("code_hash").notNull(),
    usedAt: moment("used_at"),
  },
  (table) => [primaryKey({ columns: [table.secondFactorId, table.codeHash] })],
);
