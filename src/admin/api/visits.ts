/** /api/v1/vms/:id/console and /watch: a link, good once and soon, to the screen of a machine or of somebody's session. */

import type { Handler } from "hono";
import type { VmId } from "../../domain/ids.ts";
import { askToWatch } from "../../service/visit/ask-to-watch.ts";
import { openConsole } from "../../service/visit/open-console.ts";
import { contextOf, visitDeps } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { visitAddress } from "../portal-origin.ts";
import { idParam } from "../visible.ts";
import { pick, readOptionalJson, unparsed } from "./body.ts";
import type { VisitShape } from "./shapes.ts";

export function apiOpenConsole(deps: AdminDeps): Handler<AdminEnv> {
  return async function openScreen(c) {
    const vmId = idParam<VmId>(c, "desktop");
    const { ticket } = await openConsole(contextOf(deps, c), visitDeps(deps, c), { vmId });
    return c.json({ address: visitAddress(deps, c.req.url, ticket) } satisfies VisitShape, 201);
  };
}

export function apiWatchSession(deps: AdminDeps): Handler<AdminEnv> {
  return async function watchScreen(c) {
    const vmId = idParam<VmId>(c, "desktop");
    const fields = pick(await readOptionalJson(c), ["mayControl"]);
    const { ticket } = await askToWatch(
      contextOf(deps, c),
      visitDeps(deps, c),
      unparsed({ ...fields, vmId }),
    );
    return c.json({ address: visitAddress(deps, c.req.url, ticket) } satisfies VisitShape, 201);
  };
}
