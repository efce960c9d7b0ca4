/** POST /sessions/:id/disconnect */

import type { Handler } from "hono";
import type { SessionId } from "../../../domain/ids.ts";
import { wishSessionEndById } from "../../../service/session/wish-end.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { executeAndReturn } from "../../redirect.ts";
import { idParam } from "../../visible.ts";

export function disconnectSession(deps: AdminDeps): Handler<AdminEnv> {
  return async function execute(c) {
    const sessionId = idParam<SessionId>(c, "session");
    const done = "Whoever was connected is being disconnected.";
    return executeAndReturn(c, { fallback: "/sessions", done }, async () => {
      const { vmId } = await wishSessionEndById(contextOf(deps, c), { sessionId });
      deps.wake("vm", vmId);
    });
  };
}
