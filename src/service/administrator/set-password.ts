import { eq } from "drizzle-orm";
import { z } from "zod";
import { administratorCredentials, administratorSessions, administrators } from "../../db/schema/index.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, passwordField } from "../input.ts";
import { newHash, type PasswordDeps } from "../password.ts";

export const setAdministratorPasswordInput = z.object({
  administratorId: idField<AdministratorId>(),
  password: passwordField,
});

/** Also ends the administrator's sign-ins: whoever had the old password is out. */
export async function setAdministratorPassword(
  context: Context,
  deps: PasswordDeps,
  input: z.input<typeof setAdministratorPasswordInput>,
): Promise<void> {
  const { administratorId, password } = parseInput(setAdministratorPasswordInput, input);
  const doing = `set the password of administrator ${administratorId}`;
  // Looked up first, so that a stranger can't make us hash; and again below, where it counts.
  await change(context, { doing }, (inside) => findFor(inside, administratorId));
  const passwordHash = await deps.hashPassword(password);
  await change(context, { doing }, async (inside) => {
    const administrator = await findFor(inside, administratorId);
    await inside.db
      .insert(administratorCredentials)
      .values({ administratorId, passwordHash })
      .onConflictDoUpdate({ target: administratorCredentials.administratorId, set: newHash(passwordHash) });
    await inside.db
      .delete(administratorSessions)
      .where(eq(administratorSessions.administratorId, administratorId));
    await recordAudit(inside, {
      action: "administrator.set-password",
      tenantId: administrator.tenantId,
      subjectKind: "administrator",
      subjectId: administratorId,
      subjectName: administrator.login,
    });
  });
}

async function findFor(inside: Context, administratorId: AdministratorId) {
  const [found] = await inside.db
    .select()
    .from(administrators)
    .where(eq(administrators.id, administratorId))
    .for("update");
  const what = `administrator ${administratorId}`;
  authorize(inside, "administrator.set-password", {
    what,
    ...(found === undefined ? {} : { tenantId: found.tenantId }),
  });
  if (found === undefined) throw new AppError("not-found", `${what} does not exist`);
  return found;
}
