import { boolean, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { TokenId, UserId, VmId } from "../../domain/ids.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import { bytea, moment, qvdNow } from "./columns.ts";

export const userTokens = pgTable("user_tokens", {
  id: integer("id").$type<TokenId>().generatedAlwaysAsIdentity().primaryKey(),
  /** SHA-256 of the token, which is only with its owner. */
  tokenHash: bytea("token_hash").notNull(),
  userId: integer("user_id").$type<UserId>().notNull(),
  /** Opens this desktop and no other. */
  vmId: integer("vm_id").$type<VmId>(),
  isMultiUse: boolean("is_multi_use").notNull(),
  /** What the authenticator of its maker gave. */
  parameters: jsonb("parameters").$type<GivenParameters>().notNull().default({}),
  /** Where it was asked for. */
  origin: text("origin").notNull(),
  createdAt: moment("created_at").notNull().default(qvdNow),
  expiresAt: moment("expires_at").notNull(),
  usedAt: moment("used_at"),
  revokedAt: moment("revoked_at"),
});
