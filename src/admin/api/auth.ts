/** /api/v1/auth: how signing in does on this box. */

import type { Handler } from "hono";
import { AppError } from "../../lib/errors.ts";
import { askDirectoryTest, askSlowed, forgetSlowed } from "../auth-administration.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { readScope, requireSettingsRight } from "../setting-scope.ts";
import { readJson } from "./body.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiListSlowed: Api = (deps) => async (c) => c.json(await askSlowed(deps, c));

export const apiForgetSlowed: Api = (deps) => async (c) => {
  await forgetSlowed(deps, c, c.req.param("key") ?? "");
  return c.body(null, 204);
};

/** Body: `{ "tenant": "…", "login": "…" }`, both optional. */
export const apiTestDirectory: Api = (deps) => async (c) => {
  const { tenant, login = "" } = await readJson(c);
  const scope = await readScope(deps, c, typeof tenant === "string" ? tenant : undefined);
  requireSettingsRight(c, scope);
  if (typeof login !== "string") throw new AppError("bad-input", "login: must be text", { field: "login" });
  return c.json(await askDirectoryTest(deps, c, { scope, login }));
};
