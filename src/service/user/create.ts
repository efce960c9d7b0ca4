import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { userCredentials, users } from "../../db/schema/index.ts";
import { asId, type TenantId, type UserId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, loginField, parseInput, passwordField, textField } from "../input.ts";
import type { PasswordDeps } from "../password.ts";

export const createUserInput = z
  .object({
    tenantId: idField<TenantId>(),
    login: loginField,
    fullName: textField(0, 200).optional(),
    password: passwordField.optional(),
    qvd4Hash: z
      .string({ error: "must be text" })
      .regex(/^[A-Za-z0-9+/]{43}$/, "must be 43 characters of base64, as QVD 4 kept it")
      .optional(),
  })
  .refine(({ password, qvd4Hash }) => (password === undefined) !== (qvd4Hash === undefined), {
    path: ["password"],
    error: "must be given, or else a hash of QVD 4",
  });

/**
 * The login is unique in its tenant; the password is hashed by `deps` and then forgotten. A hash of QVD 4 in its place is
 * good until its owner has signed in with it.
 */
export async function createUser(
  context: Context,
  deps: PasswordDeps,
  input: z.input<typeof createUserInput>,
): Promise<{ userId: UserId }> {
  const { tenantId, login, fullName, password, qvd4Hash } = parseInput(createUserInput, input);
  authorize(context, "user.create", { tenantId, what: `tenant ${tenantId}` });
  // Before the transaction: hashing is slow on purpose, and a waiting transaction holds locks.
  const passwordHash = qvd4Hash ?? (await deps.hashPassword(password ?? ""));
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
      ...(qvd4Hash !== undefined && { detail: { credential: "hash of QVD 4" } }),
    });
    return { userId };
  });
}
