import { eq } from "drizzle-orm";
import { z } from "zod";
import { administratorCredentials, administratorSessions } from "../../db/schema/index.ts";
import type { AdministratorId } from "../../domain/ids.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, passwordField } from "../input.ts";
import { newHash, type PasswordDeps } from "../password.ts";
import { auditAdministrator } from "./audit-administrator.ts";
import { findAdministratorFor } from "./find.ts";

const action = "administrator.set-password";

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
  await change(context, { doing }, async (inside) => {
    await findAdministratorFor(inside, action, administratorId);
  });
  const passwordHash = await deps.hashPassword(password);
  await change(context, { doing }, async (inside) => {
    const administrator = await findAdministratorFor(inside, action, administratorId);
    await inside.db
      .insert(administratorCredentials)
      .values({ administratorId, passwordHash })
      .onConflictDoUpdate({ target: administratorCredentials.administratorId, set: newHash(passwordHash) });
    await inside.db
      .delete(administratorSessions)
      .where(eq(administratorSessions.administratorId, administratorId));
    await auditAdministrator(inside, action, administrator);
  });
}
