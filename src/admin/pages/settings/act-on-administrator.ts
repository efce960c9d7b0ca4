import type { Handler } from "hono";
import type { AdministratorId } from "../../../domain/ids.ts";
import { blockAdministrator } from "../../../service/administrator/block.ts";
import { unblockAdministrator } from "../../../service/administrator/unblock.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { executeAndReturn } from "../../redirect.ts";
import { idParam } from "../../visible.ts";

const VERBS = {
  block: {
    execute: blockAdministrator,
    done: "Blocked. Their sign-ins and what they saw of screens have ended.",
  },
  unblock: { execute: unblockAdministrator, done: "Unblocked. They can sign in again." },
} as const;

/** POST /settings/administrators/:id/block and /unblock */
export function actOnAdministrator(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  const { execute, done } = VERBS[verb];
  return async function executeVerb(c) {
    const administratorId = idParam<AdministratorId>(c, "administrator");
    return executeAndReturn(c, { fallback: "/settings/administrators", done }, () =>
      execute(contextOf(deps, c), { administratorId }),
    );
  };
}
