import { and, eq } from "drizzle-orm";
import { z } from "zod";
import { settings } from "../../db/schema/index.ts";
import { AppError } from "../../lib/errors.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { parseInput } from "../input.ts";
import { authorizeSetting, settingInput } from "./find-subject.ts";

export const unsetSettingInput = z.object(settingInput);

/** From now on the site's value holds for the tenant, or the default for the site. */
export async function unsetSetting(
  context: Context,
  input: z.input<typeof unsetSettingInput>,
): Promise<void> {
  const { tenantId, name } = parseInput(unsetSettingInput, input);
  await change(context, { doing: `unset ${name}` }, async (inside) => {
    const subject = await authorizeSetting(inside, { tenantId, name });
    const gone = await inside.db
      .delete(settings)
      .where(and(eq(settings.tenantId, subject.tenantId), eq(settings.name, subject.name)))
      .returning({ name: settings.name });
    const whose = tenantId === undefined ? "the site" : `tenant ${subject.tenantName}`;
    if (gone.length === 0) throw new AppError("not-found", `${whose} has no value of its own for ${name}`);
    await recordAudit(inside, {
      action: subject.action,
      tenantId: subject.tenantId,
      subjectKind: "setting",
      subjectName: subject.name,
      detail: { tenant: subject.tenantName, isUnset: true },
    });
  });
}
