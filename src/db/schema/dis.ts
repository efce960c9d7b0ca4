import { bigint, boolean, integer, pgTable, text } from "drizzle-orm/pg-core";
import type { DiId, OsfId } from "../../domain/ids.ts";
import { moment, qvdNow } from "./columns.ts";

export const DI_STATES = ["new", "fetching", "verifying", "ready", "failed"] as const;

export const DI_KINDS = ["archive", "disk"] as const;

export const dis = pgTable("dis", {
  id: integer("id").$type<DiId>().generatedAlwaysAsIdentity().primaryKey(),
  osfId: integer("osf_id").$type<OsfId>().notNull(),
  version: text("version").notNull(),
  fileName: text("file_name").notNull(),
  statedSha256: text("stated_sha256"),
  isBlocked: boolean("is_blocked").notNull().default(false),
  createdAt: moment("created_at").notNull().default(qvdNow),
  kind: text("kind", { enum: DI_KINDS }).notNull().default("archive"),
  sourceUrl: text("source_url"),
  publishedAt: moment("published_at"),
  retiredAt: moment("retired_at"),
  // Observed: written by node/report alone.
  state: text("state", { enum: DI_STATES }).notNull().default("new"),
  stateAt: moment("state_at").notNull().default(qvdNow),
  fault: text("fault"),
  sizeBytes: bigint("size_bytes", { mode: "number" }),
  sha256: text("sha256"),
  doneBytes: bigint("done_bytes", { mode: "number" }),
  totalBytes: bigint("total_bytes", { mode: "number" }),
});
