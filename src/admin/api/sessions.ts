/** /api/v1/sessions */

import type { Handler } from "hono";
import { listSessions, readSessionRow } from "../../db/queries/sessions.ts";
import { parseId, type SessionId, type UserId, type VmId } from "../../domain/ids.ts";
import { isSessionPhase, SESSION_PHASES } from "../../domain/session/session-phase.ts";
import { AppError } from "../../lib/errors.ts";
import { wishSessionEndById } from "../../service/session/wish-end.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext, AdminEnv } from "../env.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import { answerPage, readListQuery } from "./list.ts";
import { sessionShape } from "./to-shape.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

/** GET /api/v1/sessions?state=connected&live=true&vm=ID&user=ID&search=TEXT, newest first. */
export const apiListSessions: Api = (deps) => async (c) => {
  const query = readListQuery(c);
  const filter = {
    tenantId: tenantOf(c),
    vmId: idQuery<VmId>(c, "vm"),
    userId: idQuery<UserId>(c, "user"),
    isLive: c.req.query("live") === "true",
    phase: phaseQuery(c),
    search: query.search,
  };
  return answerPage(c, await listSessions(deps.db, filter, query), sessionShape);
};

export const apiShowSession: Api = (deps) => async (c) => {
  const row = await readSessionRow(deps.db, idParam<SessionId>(c, "session"), tenantOf(c));
  return c.json(sessionShape(found(row, "session")));
};

/** POST /api/v1/sessions/:id/disconnect: whoever sits there is; the desktop goes on. */
export const apiEndSession: Api = (deps) => async (c) => {
  const sessionId = idParam<SessionId>(c, "session");
  const { vmId } = await wishSessionEndById(contextOf(deps, c), { sessionId });
  deps.wake("vm", vmId);
  return c.json(sessionShape(found(await readSessionRow(deps.db, sessionId), "session")));
};

function idQuery<Id extends UserId | VmId>(c: AdminContext, name: string): Id | undefined {
  const text = c.req.query(name);
  const id = text === undefined ? undefined : parseId<Id>(text);
  if (text !== undefined && id === undefined)
    throw new AppError("bad-input", `${name} must be an id`, { field: name });
  return id;
}

function phaseQuery(c: AdminContext) {
  const text = c.req.query("state");
  if (text === undefined || isSessionPhase(text)) return text;
  throw new AppError("bad-input", `state must be one of ${SESSION_PHASES.join(", ")}`, { field: "state" });
}
