import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { userCredentials, users } from "../../db/schema/index.ts";
import { asId, type TenantId, type UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, loginField, parseInput, passwordField, textField } from "../input.ts";
import type { PasswordDeps } from "../password.ts";

export const createUserInput = z.object({
  tenantId: idField<TenantId>(),
  login: loginField,
  fullName: textField(0, 200).optional(),
  password: passwordField,
});

/** The login is unique in its tenant; the password is hashed by `deps` and then forgotten. */
export async function createUser(
  context: Context,
  deps: PasswordDeps,
  input: z.input<typeof createUserInput>,
): Promise<{ userId: UserId }> {
  const { tenantId, login, fullName, password } = parseInput(createUserInput, input);
  authorize(context, "user.create", { tenantId, what: `tenant ${tenantId}` });
  // Before the transaction: hashing is slow on purpose, and a waiting transaction holds locks.
  const passwordHash = await deps.hashPassword(password);
  const conflicts = {
    users_tenant_id_login_key: { message: `a user ${login} exists already in this tenant`, field: "login" },
    users_tenant_id_fkey: { message: `tenant ${tenantId} does not exist`, field: "tenantId" },
  };
  return await change(context, { doing: `create user ${login}`, conflicts }, async (inside) => {
    const userId = asId<UserId>(
      await insertRow(inside.db, users, { tenantId, login, fullName: fullName ?? "" }),
    );
    await inside.db.insert(userCredentials).values({ userId, passwordHash });
    await recordAudit(inside, {
      action: "user.create",
      tenantId,
      subjectKind: "user",
      subjectId: userId,
      subjectName: login,
    });
    return { userId };
  });
}
