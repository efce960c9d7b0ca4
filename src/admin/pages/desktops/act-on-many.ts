/** POST /desktops/start and /desktops/stop: the same for all that were ticked. Each stands for itself. */

import type { Handler } from "hono";
import { parseId, type VmId } from "../../../domain/ids.ts";
import { isAppError } from "../../../lib/errors.ts";
import { wishVmStopped } from "../../../service/vm/wish-stopped.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { capitalize, readFormList } from "../../form.ts";
import { redirectBack } from "../../redirect.ts";
import { startDesktop } from "./start-desktop.ts";

export function actOnDesktops(deps: AdminDeps, verb: "start" | "stop"): Handler<AdminEnv> {
  return async function executeVerbs(c) {
    const ids = (await readFormList(c, "vm")).flatMap((text) => parseId<VmId>(text) ?? []);
    const refused = await executeEach(deps, c, ids, verb);
    deps.wake("vm");
    const done = ids.length - refused.length;
    const asked = `${verb === "start" ? "Start" : "Stop"} asked for ${done} ${done === 1 ? "desktop" : "desktops"}.`;
    if (ids.length === 0) return redirectBack(c, "/desktops", { tone: "warn", text: "Tick desktops first." });
    if (refused.length === 0) return redirectBack(c, "/desktops", { tone: "good", text: asked });
    const why = capitalize(refused[0] ?? "");
    return redirectBack(c, "/desktops", { tone: "warn", text: `${asked} ${refused.length} refused: ${why}` });
  };
}

/** The sentences of those that were refused. One after the other, so that a page can't take all connections. */
async function executeEach(
  deps: AdminDeps,
  c: AdminContext,
  ids: readonly VmId[],
  verb: "start" | "stop",
): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const vmId of ids) {
    try {
      if (verb === "start") await startDesktop(contextOf(deps, c), vmId);
      else await wishVmStopped(contextOf(deps, c), { vmId });
    } catch (error) {
      if (!isAppError(error) || error.code === "database-away") throw error;
      refused.push(error.message);
    }
  }
  return refused;
}
