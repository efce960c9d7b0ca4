import { sql } from "drizzle-orm";
import { z } from "zod";
import { listSettings } from "../../db/queries/settings.ts";
import { settings } from "../../db/schema/index.ts";
import { parseSettingText } from "../../domain/setting/parse-value.ts";
import { specOf } from "../../domain/setting/registry.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { secretUse } from "../../domain/setting/secret-use.ts";
import type { SealedSecret, SettingValue } from "../../domain/setting/spec.ts";
import { AppError } from "../../lib/errors.ts";
import type { SecretUse } from "../../wire/setting/sealed-secret.ts";
import { recordAudit } from "../audit.ts";
import { type Context, change } from "../context.ts";
import { parseInput } from "../input.ts";
import { authorizeSetting, type SettingSubject, settingInput } from "./find-subject.ts";

export const setSettingInput = z.object({
  ...settingInput,
  /** As a person types it; of a secret the secret. */
  value: z.string({ error: "must be text" }),
});

/** `sealSecret` seals for auth alone. */
export type SettingDeps = { readonly sealSecret: (use: SecretUse, secret: string) => Promise<SealedSecret> };

/** Sets a setting of the site, or of a tenant, whatever it was before. */
export async function setSetting(
  context: Context,
  deps: SettingDeps,
  input: z.input<typeof setSettingInput>,
): Promise<void> {
  const { tenantId, name, value: text } = parseInput(setSettingInput, input);
  await change(context, { doing: `set ${name}` }, async (inside) => {
    const subject = await authorizeSetting(inside, { tenantId, name });
    const spec = specOf(subject.name);
    const parsed = parseSettingText(spec, text);
    if ("fault" in parsed)
      throw new AppError("bad-input", `${name}: ${parsed.fault}`, { field: subject.name });
    const value = spec.kind === "secret" ? await seal(inside, deps, { subject, secret: text }) : parsed.value;
    await inside.db
      .insert(settings)
      .values({ tenantId: subject.tenantId, name: subject.name, value })
      .onConflictDoUpdate({
        target: [settings.tenantId, settings.name],
        set: { value, changedAt: sql`qvd_now()` },
      });
    await recordAudit(inside, {
      action: subject.action,
      tenantId: subject.tenantId,
      subjectKind: "setting",
      subjectName: subject.name,
      detail: { tenant: subject.tenantName, ...(spec.kind === "secret" ? { isSecret: true } : { value }) },
    });
  });
}

async function seal(
  inside: Context,
  deps: SettingDeps,
  { subject, secret }: { readonly subject: SettingSubject; readonly secret: string },
): Promise<SettingValue> {
  if (secret === "")
    throw new AppError("bad-input", `${subject.name}: must not be empty; unset it instead`, {
      field: subject.name,
    });
  const values = settingValues(await listSettings(inside.db, subject.tenantId), subject.tenantId);
  return await deps.sealSecret(secretUse(subject.name, values), secret);
}
