import { and, eq } from "drizzle-orm";
import { administratorCredentials, userCredentials } from "../../db/schema/index.ts";
import type { AdministratorId, TenantId, UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { newHash as newHashColumns } from "../password.ts";

export type HashedAccount = {
  readonly id: { readonly userId: UserId } | { readonly administratorId: AdministratorId };
  readonly tenantId: TenantId;
  readonly login: string;
};

/**
 * Replaces a hash of QVD 4 by one of today, for the same password that auth has just seen. Does nothing when it was
 * changed meanwhile.
 */
export async function upgradeHash(
  context: Context,
  account: HashedAccount,
  { oldHash, newHash }: { readonly oldHash: string; readonly newHash: string },
): Promise<void> {
  const { id, tenantId, login } = account;
  authorize(context, "user.upgrade-hash", { tenantId, what: login });
  await change(context, { doing: `upgrade the password hash of ${login}` }, async (inside) => {
    const columns = newHashColumns(newHash);
    const changed =
      "userId" in id
        ? await inside.db
            .update(userCredentials)
            .set(columns)
            .where(and(eq(userCredentials.userId, id.userId), eq(userCredentials.passwordHash, oldHash)))
            .returning({ id: userCredentials.userId })
        : await inside.db
            .update(administratorCredentials)
            .set(columns)
            .where(
              and(
                eq(administratorCredentials.administratorId, id.administratorId),
                eq(administratorCredentials.passwordHash, oldHash),
              ),
            )
            .returning({ id: administratorCredentials.administratorId });
    const [row] = changed;
    if (row === undefined) return;
    const subjectKind = "userId" in id ? "user" : "administrator";
    await recordAudit(inside, {
      ...({ action: "user.upgrade-hash", tenantId, subjectKind, subjectName: login } as const),
      subjectId: row.id,
    });
  });
}
