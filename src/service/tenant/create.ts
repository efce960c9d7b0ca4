import { z } from "zod";
import { tenants } from "../../db/schema/index.ts";
import { asId, type TenantId } from "../../domain/ids.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput, textField } from "../input.ts";

export const createTenantInput = z.object({
  name: textField(1, 64)
    .toLowerCase()
    .regex(/^[^@#\s:/\\]+$/, "must not contain spaces or any of @ # : / \\"),
});

/** Only for the site's administrators. The names `*` and `-` are QVD's own and taken from the start. */
export async function createTenant(
  context: Context,
  input: z.input<typeof createTenantInput>,
): Promise<{ tenantId: TenantId }> {
  authorize(context, "tenant.create", { what: "the site" });
  const { name } = parseInput(createTenantInput, input);
  const conflicts = { tenants_name_key: { message: `a tenant ${name} exists already`, field: "name" } };
  return await change(context, { doing: `create tenant ${name}`, conflicts }, async (inside) => {
    const [row] = await inside.db.insert(tenants).values({ name }).returning({ id: tenants.id });
    const tenantId = asId<TenantId>(row?.id ?? 0);
    await recordAudit(inside, {
      action: "tenant.create",
      tenantId,
      subjectKind: "tenant",
      subjectId: tenantId,
      subjectName: name,
    });
    return { tenantId };
  });
}
