/** POST /desktops/:id/console and /watch: leads an administrator to the screen of a machine, or of somebody's session. */

import type { Handler } from "hono";
import type { VmId } from "../../../domain/ids.ts";
import { isAppError } from "../../../lib/errors.ts";
import { askToWatch } from "../../../service/visit/ask-to-watch.ts";
import type { AskedVisit } from "../../../service/visit/issue.ts";
import { openConsole } from "../../../service/visit/open-console.ts";
import { contextOf, visitDeps } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { capitalize } from "../../form.ts";
import { visitAddress } from "../../portal-origin.ts";
import { redirectTo } from "../../redirect.ts";
import { idParam } from "../../visible.ts";

export function visitConsole(deps: AdminDeps): Handler<AdminEnv> {
  return (c) => lead(deps, c, (vmId) => openConsole(contextOf(deps, c), visitDeps(deps, c), { vmId }));
}

export function visitSession(deps: AdminDeps): Handler<AdminEnv> {
  return async function watch(c) {
    const { control } = await c.req.parseBody();
    const mayControl = control === "yes";
    return lead(deps, c, (vmId) => askToWatch(contextOf(deps, c), visitDeps(deps, c), { vmId, mayControl }));
  };
}

async function lead(
  deps: AdminDeps,
  c: AdminContext,
  ask: (vmId: VmId) => Promise<AskedVisit>,
): Promise<Response> {
  const vmId = idParam<VmId>(c, "desktop");
  try {
    const { ticket } = await ask(vmId);
    return c.redirect(visitAddress(deps, c.req.url, ticket), 303);
  } catch (error) {
    if (!isAppError(error) || error.code !== "conflict") throw error;
    return redirectTo(c, `/desktops/${vmId}`, { tone: "bad", text: capitalize(error.message) });
  }
}
