import type { Handler } from "hono";
import { listSessions } from "../../db/queries/sessions.ts";
import { parseId, type VmId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { tenantOf } from "../visible.ts";
import { answerPage, readListQuery } from "./list.ts";
import { sessionShape } from "./to-shape.ts";

/** GET /api/v1/sessions?live=true&vm=ID, newest first. */
export function apiListSessions(deps: AdminDeps): Handler<AdminEnv> {
  return async function list(c) {
    const vm = c.req.query("vm");
    const vmId = vm === undefined ? undefined : parseId<VmId>(vm);
    if (vm !== undefined && vmId === undefined)
      throw new AppError("bad-input", "vm must be an id", { field: "vm" });
    const filter = { tenantId: tenantOf(c), vmId, isLive: c.req.query("live") === "true" };
    return answerPage(c, await listSessions(deps.db, filter, readListQuery(c)), sessionShape);
  };
}
