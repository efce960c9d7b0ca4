import { integer, pgTable } from "drizzle-orm/pg-core";
import type { UserId } from "../../domain/ids.ts";
import { bytea, moment } from "./columns.ts";

/** For those who have no password to unlock their desktop's screen with. */
export const unlockCodes = pgTable("unlock_codes", {
  userId: integer("user_id").$type<UserId>().primaryKey(),
  codeHash: bytea("code_hash").notNull(),
  expiresAt: moment("expires_at").notNull(),
});
