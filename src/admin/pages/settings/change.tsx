/** GET and POST /settings/:key/change: the settings of one group as a form. */

import type { Handler } from "hono";
import { formatSettingValue, isSealed } from "../../../domain/setting/parse-value.ts";
import { specOf } from "../../../domain/setting/registry.ts";
import type { ResolvedSetting } from "../../../domain/setting/resolve.ts";
import { SETTING_GROUPS, type SettingGroup } from "../../../domain/setting/spec.ts";
import { AppError } from "../../../lib/errors.ts";
import { changeSettings } from "../../../service/setting/change-many.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { EMPTY_FORM, type FormState, type FormValues, readForm, refusedForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { readScope, readSettings, type SettingScope } from "../../setting-scope.ts";
import { FormPage } from "../../ui/form-page.tsx";
import { SettingField } from "./field.tsx";
import { isSettingGroup, partOf, scopeQuery, settingsPath } from "./parts.ts";

type Shown = {
  readonly group: SettingGroup;
  readonly scope: SettingScope;
  readonly settings: readonly ResolvedSetting[];
};

export function showChangeSettings(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return renderForm(c, await readShown(deps, c), EMPTY_FORM);
  };
}

export function changeSettingsPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function submitForm(c) {
    const shown = await readShown(deps, c);
    const { scope, group } = shown;
    const { csrf: _, ...typed } = await readForm(c);
    const values = listChanged(shown.settings, typed);
    try {
      await changeSettings(contextOf(deps, c), deps, { tenantId: scope.tenantId, values });
    } catch (error) {
      return renderForm(c, shown, refusedForm(error, withoutSecrets(shown.settings, typed)));
    }
    const loose = listLoosened(shown.settings, values);
    const back = `${settingsPath(partOf(group), scope)}#group-${group}`;
    if (loose.length === 0) {
      const count = Object.keys(values).length;
      return redirectTo(c, back, { tone: "good", text: count === 0 ? "Nothing was changed." : "Saved." });
    }
    const text = `Saved. Now set again: ${loose.join(", ")}. It was meant for what stood here before, and goes nowhere else.`;
    return redirectTo(c, back, { tone: "warn", text });
  };
}

async function readShown(deps: AdminDeps, c: AdminContext): Promise<Shown> {
  const group = c.req.param("key") ?? "";
  if (!isSettingGroup(group)) throw new AppError("not-found", "There are no such settings.");
  const scope = await readScope(deps, c, c.req.query("tenant"));
  const all = await readSettings(deps, scope);
  const settings = all.filter(({ name }) => {
    const spec = specOf(name);
    return spec.group === group && (scope.tenantId === undefined || spec.scope === "tenant");
  });
  return { group, scope, settings };
}

/** What was typed and isn't so already. An empty secret keeps the one that is set. */
function listChanged(settings: readonly ResolvedSetting[], typed: FormValues): FormValues {
  return Object.fromEntries(
    settings.flatMap(({ name, value }) => {
      const text = typed[name];
      const now = formatSettingValue(value);
      const isSame = text === undefined || text.replaceAll("\r\n", "\n").trim() === now.trim();
      return isSame ? [] : [[name, text]];
    }),
  );
}

/** Labels of secrets that are good for nothing now, since what they are bound to has changed. */
function listLoosened(settings: readonly ResolvedSetting[], changed: FormValues): readonly string[] {
  return settings.flatMap(({ name, value }) => {
    const spec = specOf(name);
    if (spec.kind !== "secret" || !isSealed(value) || changed[name] !== undefined) return [];
    return spec.boundTo.some((one) => changed[one] !== undefined) ? [`${spec.label} (${name})`] : [];
  });
}

function withoutSecrets(settings: readonly ResolvedSetting[], typed: FormValues): FormValues {
  const secrets = new Set<string>(
    settings.filter(({ name }) => specOf(name).kind === "secret").map(({ name }) => name),
  );
  return Object.fromEntries(Object.entries(typed).filter(([name]) => !secrets.has(name)));
}

function renderForm(c: AdminContext, { group, scope, settings }: Shown, form: FormState) {
  const title = SETTING_GROUPS[group];
  const status = Object.keys(form.errors).length > 0 ? 422 : 200;
  const whose = scope.tenantName === undefined ? "of the whole site" : `of ${scope.tenantName}`;
  return renderPage(
    c,
    { title, section: "settings", status },
    <FormPage
      title={title}
      lead={`Settings ${whose}. What is saved holds at once.`}
      back={{ href: settingsPath(partOf(group), scope), text: "Settings" }}
      action={`/settings/${group}/change${scopeQuery(scope)}`}
      csrf={c.get("signedIn").csrfToken}
      submit="Save"
      error={form.errors[""]}
    >
      {settings.map((setting) => (
        <SettingField setting={setting} typed={form.values[setting.name]} error={form.errors[setting.name]} />
      ))}
    </FormPage>,
  );
}
