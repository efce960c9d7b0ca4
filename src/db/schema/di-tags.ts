import { boolean, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type { DiId, OsfId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const diTags = pgTable(
  "di_tags",
  {
    osfId: integer("osf_id").$type<OsfId>().notNull(),
    tag: text("tag").notNull(),
    diId: integer("di_id").$type<DiId>().notNull(),
    isFixed: boolean("is_fixed").notNull().default(false),
    movedAt: moment("moved_at").notNull().default(qvdNow),
  },
  (table) => [primaryKey({ columns: [table.osfId, table.tag] }), index("di_tags_di").on(table.diId)],
);
