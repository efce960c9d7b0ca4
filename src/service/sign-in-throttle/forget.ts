import { z } from "zod";
import { findTenantByName } from "../../db/queries/tenants.ts";
import { recordAudit } from "../audit.ts";
import { authorize } from "../authorize.ts";
import { type Context, change } from "../context.ts";
import { parseInput, textField } from "../input.ts";

export const forgetSlowedInput = z.object({
  /** Whose failures: a login, or an address. */
  name: textField(1, 200),
  /** Of the account; an address is the site's. */
  tenant: textField(1, 128).optional(),
  lane: z.enum(["pair", "account", "address", "code"]),
});

/** Checks the right and notes who forgot whose failures; auth, which alone remembers them, is told by the caller. */
export async function recordForgotten(
  context: Context,
  input: z.input<typeof forgetSlowedInput>,
): Promise<void> {
  const { name, tenant, lane } = parseInput(forgetSlowedInput, input);
  await change(context, { doing: `forget the failures of ${name}` }, async (inside) => {
    const found = tenant === undefined ? undefined : await findTenantByName(inside.db, tenant);
    const isOfTenant = found !== undefined && found.id > 0;
    authorize(inside, isOfTenant ? "sign-in.forget-slowed" : "sign-in.forget-slowed-site", {
      what: `the failures of ${name}`,
      ...(isOfTenant ? { tenantId: found.id } : {}),
    });
    await recordAudit(inside, {
      action: isOfTenant ? "sign-in.forget-slowed" : "sign-in.forget-slowed-site",
      ...(isOfTenant ? { tenantId: found.id } : {}),
      subjectKind: "sign-in",
      subjectName: name,
      detail: { lane },
    });
  });
}
