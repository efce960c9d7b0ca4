/** /api/v1/settings: what holds for the site, or with `tenant` (a name) for one tenant. Secrets are never told. */

import type { Handler } from "hono";
import { formatSettingValue, isSealed } from "../../domain/setting/parse-value.ts";
import { specOf } from "../../domain/setting/registry.ts";
import type { ResolvedSetting } from "../../domain/setting/resolve.ts";
import { AppError } from "../../lib/errors.ts";
import { setSetting } from "../../service/setting/set.ts";
import { unsetSetting } from "../../service/setting/unset.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { readScope, readSettings } from "../setting-scope.ts";
import { readJson } from "./body.ts";
import type { SettingShape } from "./shapes.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiListSettings: Api = (deps) => async (c) => {
  const scope = await readScope(deps, c, c.req.query("tenant"));
  return c.json((await readSettings(deps, scope)).map(toSettingShape));
};

/** Body: `{ "value": "…", "tenant": "…" }`; numbers and switches may be written as such. */
export const apiSetSetting: Api = (deps) => async (c) => {
  const { value, tenant } = await readJson(c);
  const { tenantId } = await readScope(deps, c, typeof tenant === "string" ? tenant : undefined);
  if (!["string", "number", "boolean"].includes(typeof value))
    throw new AppError("bad-input", "value: must be text, a number, true or false", { field: "value" });
  const name = c.req.param("key") ?? "";
  await setSetting(contextOf(deps, c), deps, { name, value: String(value), tenantId });
  return c.body(null, 204);
};

export const apiUnsetSetting: Api = (deps) => async (c) => {
  const { tenantId } = await readScope(deps, c, c.req.query("tenant"));
  await unsetSetting(contextOf(deps, c), { name: c.req.param("key") ?? "", tenantId });
  return c.body(null, 204);
};

function toSettingShape({ name, value, source }: ResolvedSetting): SettingShape {
  const spec = specOf(name);
  return {
    name,
    kind: spec.kind,
    scope: spec.scope,
    value: formatSettingValue(value),
    isSet: spec.kind === "secret" ? isSealed(value) : source !== "default",
    source,
    doc: spec.doc,
    ...("choices" in spec && spec.choices !== undefined ? { choices: [...spec.choices] } : {}),
  };
}
