/** POST /desktops/start and /desktops/stop: the same for all that were ticked. Each stands for itself. */

import type { Handler } from "hono";
import { parseId, type VmId } from "../../../domain/ids.ts";
import { isAppError } from "../../../lib/errors.ts";
import { wishVms } from "../../../service/vm/wish-many.ts";
import { wakeFor } from "../../api/vms-many.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { capitalize, readFormList } from "../../form.ts";
import { redirectBack } from "../../redirect.ts";
import { BLOCKED } from "./start-desktop.ts";

export function actOnDesktops(deps: AdminDeps, verb: "start" | "stop"): Handler<AdminEnv> {
  return async function executeVerbs(c) {
    const ids = (await readFormList(c, "vm")).flatMap((text) => parseId<VmId>(text) ?? []);
    const refused = await wishAll(deps, c, { ids, verb });
    const done = ids.length - refused.length;
    const asked = `${verb === "start" ? "Start" : "Stop"} asked for ${done} ${done === 1 ? "desktop" : "desktops"}.`;
    if (ids.length === 0) return redirectBack(c, "/desktops", { tone: "warn", text: "Tick desktops first." });
    if (refused.length === 0) return redirectBack(c, "/desktops", { tone: "good", text: asked });
    const why = capitalize(refused[0] ?? "");
    return redirectBack(c, "/desktops", { tone: "warn", text: `${asked} ${refused.length} refused: ${why}` });
  };
}

/** The sentences of those that were refused; what administrators can do about it, where it is a client's words. */
async function wishAll(
  deps: AdminDeps,
  c: AdminContext,
  of: { readonly ids: readonly VmId[]; readonly verb: "start" | "stop" },
): Promise<readonly string[]> {
  const { ids, verb } = of;
  try {
    const wish = verb === "start" ? "running" : "stopped";
    const done = await wishVms(contextOf(deps, c), { vmIds: [...ids], wish });
    wakeFor(deps, done.wished);
    return done.refused.map(({ code, message }) => (code === "blocked" ? BLOCKED : message));
  } catch (error) {
    if (!isAppError(error) || error.code === "database-away") throw error;
    return ids.map(() => (error.code === "blocked" ? BLOCKED : error.message));
  }
}
