import { eq } from "drizzle-orm";
import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import {
  administratorCredentials,
  administratorRoles,
  administrators,
  roles,
} from "../../db/schema/index.ts";
import { type AdministratorId, asId, type TenantId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { loginField, parseInput, passwordField, wholeNumber } from "../input.ts";
import type { PasswordDeps } from "../password.ts";

export const createAdministratorInput = z.object({
  /** 0, the default, is the site itself. */
  tenantId: wholeNumber(0, 2 ** 31 - 1).default(0),
  login: loginField,
  password: passwordField,
  role: z.string().default("administrator"),
});

/** Of the site or of a tenant, with one role. The first one of a site is made by the system itself. */
export async function createAdministrator(
  context: Context,
  deps: PasswordDeps,
  input: z.input<typeof createAdministratorInput>,
): Promise<{ administratorId: AdministratorId }> {
  const { login, password, role, ...rest } = parseInput(createAdministratorInput, input);
  const tenantId = asId<TenantId>(rest.tenantId);
  authorize(context, "administrator.create", { tenantId, what: `tenant ${tenantId}` });
  const passwordHash = await deps.hashPassword(password);
  const conflicts = {
    administrators_tenant_id_login_key: {
      message: `an administrator ${login} exists already in this tenant`,
      field: "login",
    },
    administrators_tenant_id_fkey: { message: `tenant ${tenantId} does not exist`, field: "tenantId" },
  };
  return await change(context, { doing: `create administrator ${login}`, conflicts }, async (inside) => {
    const [found] = await inside.db.select({ id: roles.id }).from(roles).where(eq(roles.name, role));
    if (found === undefined) {
      throw new AppError("bad-input", `role: ${role} does not exist`, { field: "role" });
    }
    const administratorId = asId<AdministratorId>(
      await insertRow(inside.db, administrators, { tenantId, login }),
    );
    await inside.db.insert(administratorCredentials).values({ administratorId, passwordHash });
    await inside.db.insert(administratorRoles).values({ administratorId, roleId: found.id });
    await recordAudit(inside, {
      action: "administrator.create",
      tenantId,
      subjectKind: "administrator",
      subjectId: administratorId,
      subjectName: login,
      detail: { role },
    });
    return { administratorId };
  });
}
