import type { Handler } from "hono";
import type { DiId } from "../../../domain/ids.ts";
import { blockImage } from "../../../service/image/block.ts";
import { unblockImage } from "../../../service/image/unblock.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { executeAndReturn } from "../../redirect.ts";
import { idParam } from "../../visible.ts";

const VERBS = {
  block: { execute: blockImage, done: "Blocked: no desktop starts from it. Those that run on it go on." },
  unblock: { execute: unblockImage, done: "Unblocked." },
} as const;

/** POST /images/:id/block and /images/:id/unblock */
export function actOnImage(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  const { execute, done } = VERBS[verb];
  return async function executeVerb(c) {
    return executeAndReturn(c, { fallback: "/images", done }, async () => {
      await execute(contextOf(deps, c), { diId: idParam<DiId>(c, "image") });
      deps.wake("image");
    });
  };
}
