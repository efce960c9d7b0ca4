/** Bearer tokens of users; never the token itself, which is with its owner. */

import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import type { TenantId, TokenId, UserId } from "../../domain/ids.ts";
import type { Db } from "../client.ts";
import { tenants, users, userTokens, vms } from "../schema/index.ts";

export type TokenRow = Awaited<ReturnType<typeof listUserTokens>>[number];

/** The newest first, at most 200; also those that are over, for a week. */
export async function listUserTokens(
  db: Db,
  filter: { readonly userId: UserId; readonly tokenId?: TokenId },
) {
  return await db
    .select({
      id: userTokens.id,
      userId: userTokens.userId,
      vmId: userTokens.vmId,
      vm: vms.name,
      isMultiUse: userTokens.isMultiUse,
      origin: userTokens.origin,
      createdAt: userTokens.createdAt,
      expiresAt: userTokens.expiresAt,
      usedAt: userTokens.usedAt,
      state: stateOf(),
    })
    .from(userTokens)
    .leftJoin(vms, eq(vms.id, userTokens.vmId))
    .where(
      and(
        eq(userTokens.userId, filter.userId),
        filter.tokenId === undefined ? undefined : eq(userTokens.id, filter.tokenId),
      ),
    )
    .orderBy(desc(userTokens.id))
    .limit(200);
}

/** What a token would do now: `good` ones open, the others never will again. */
function stateOf(): SQL<"good" | "revoked" | "expired" | "used"> {
  return sql`case when ${userTokens.revokedAt} is not null then 'revoked'
    when ${userTokens.expiresAt} <= qvd_now() then 'expired'
    when not ${userTokens.isMultiUse} and ${userTokens.usedAt} is not null then 'used'
    else 'good' end`;
}

/** By the names that a sign-in has. */
export async function readTokenOwner(
  db: Db,
  userId: UserId,
): Promise<{ readonly login: string; readonly tenant: string; readonly tenantId: TenantId } | undefined> {
  const [row] = await db
    .select({ login: users.login, tenant: tenants.name, tenantId: tenants.id })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, users.tenantId))
    .where(eq(users.id, userId));
  return row;
}
