import type { Handler } from "hono";
import type { UserId } from "../../../domain/ids.ts";
import { blockUser } from "../../../service/user/block.ts";
import { unblockUser } from "../../../service/user/unblock.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { executeAndReturn } from "../../redirect.ts";
import { idParam } from "../../visible.ts";

const VERBS = {
  block: { execute: blockUser, done: "Blocked. Sessions that are open go on." },
  unblock: { execute: unblockUser, done: "Unblocked." },
} as const;

/** POST /users/:id/block and /users/:id/unblock */
export function actOnUser(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  const { execute, done } = VERBS[verb];
  return async function executeVerb(c) {
    const userId = idParam<UserId>(c, "user");
    return executeAndReturn(c, { fallback: `/users/${userId}`, done }, async () => {
      await execute(contextOf(deps, c), { userId });
      deps.live.notice();
    });
  };
}
