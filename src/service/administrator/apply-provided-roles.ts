import { and, eq, inArray } from "drizzle-orm";
import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { administratorRoles, administrators, roles, tenants } from "../../db/schema/index.ts";
import { type AdministratorId, asId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { loginField, parseInput } from "../input.ts";

export const applyProvidedRolesInput = z.object({
  tenant: z.string(),
  login: loginField,
  /** Names; those that there are not are passed over. */
  roles: z.array(z.string()),
  /** The issuer. */
  provider: z.string().min(1),
});

type Input = z.output<typeof applyProvidedRolesInput>;
type Found = { readonly id: AdministratorId; readonly roleIds: readonly number[] };

/**
 * By auth, for somebody whom a provider has just proved: the administrator that the provider made has exactly these roles
 * from now on, and is created if there is none and they have a role. One who was created here is never touched: else a
 * provider's user by the name of `admin` would take over or disarm the site's.
 */
export async function applyProvidedRoles(
  context: Context,
  input: z.input<typeof applyProvidedRolesInput>,
): Promise<void> {
  const wanted = parseInput(applyProvidedRolesInput, input);
  const { tenant: tenantName, login } = wanted;
  authorize(context, "administrator.apply-roles", { what: `administrator ${login}` });
  await change(context, { doing: `give administrator ${login} their roles` }, async (inside) => {
    const [tenant] = await inside.db.select().from(tenants).where(eq(tenants.name, tenantName));
    if (tenant === undefined) throw new AppError("not-found", `tenant ${tenantName} does not exist`);
    const names = [...wanted.roles];
    const known =
      names.length === 0 ? [] : await inside.db.select().from(roles).where(inArray(roles.name, names));
    const found = await findOrCreate(inside, { ...wanted, tenantId: tenant.id, hasRoles: known.length > 0 });
    if (found === undefined) return;
    const ids = known.map(({ id }) => id);
    const isAsItIs = ids.length === found.roleIds.length && ids.every((id) => found.roleIds.includes(id));
    if (isAsItIs) return;
    await inside.db.delete(administratorRoles).where(eq(administratorRoles.administratorId, found.id));
    for (const roleId of ids)
      await inside.db.insert(administratorRoles).values({ administratorId: found.id, roleId });
    await recordAudit(inside, {
      action: "administrator.apply-roles",
      tenantId: tenant.id,
      subjectKind: "administrator",
      subjectId: found.id,
      subjectName: login,
      detail: { provider: wanted.provider, roles: known.map(({ name }) => name) },
    });
  });
}

async function findOrCreate(
  { db }: Context,
  wanted: Input & { readonly tenantId: (typeof tenants.$inferSelect)["id"]; readonly hasRoles: boolean },
): Promise<Found | undefined> {
  const { tenantId, login, provider } = wanted;
  const [found] = await db
    .select()
    .from(administrators)
    .where(and(eq(administrators.tenantId, tenantId), eq(administrators.login, login)));
  if (found === undefined) {
    if (!wanted.hasRoles) return undefined;
    const id = await insertRow(db, administrators, { tenantId, login, provider });
    return { id: asId<AdministratorId>(id), roleIds: [] };
  }
  if (found.provider !== provider) {
    throw new AppError(
      "forbidden",
      `administrator ${login} was created here, so no provider's groups say what they may do; give the person another login at the provider, or delete the one here`,
    );
  }
  const held = await db
    .select({ roleId: administratorRoles.roleId })
    .from(administratorRoles)
    .where(eq(administratorRoles.administratorId, found.id));
  return { id: asId<AdministratorId>(found.id), roleIds: held.map(({ roleId }) => roleId) };
}
