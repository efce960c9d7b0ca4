/** POST /desktops/:id/<verb>: the verbs that need nothing but the desktop. */

import type { Handler } from "hono";
import type { VmId } from "../../../domain/ids.ts";
import type { Context } from "../../../service/context.ts";
import { wishSessionEnd } from "../../../service/session/wish-end.ts";
import { blockVm } from "../../../service/vm/block.ts";
import { unblockVm } from "../../../service/vm/unblock.ts";
import { wishVmStopped } from "../../../service/vm/wish-stopped.ts";
import { contextOf } from "../../context.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { executeAndReturn } from "../../redirect.ts";
import { idParam } from "../../visible.ts";
import { startDesktop } from "./start-desktop.ts";

type DesktopVerb = {
  readonly execute: (context: Context, vmId: VmId) => Promise<unknown>;
  readonly done: string;
};

export const DESKTOP_VERBS = {
  start: { execute: startDesktop, done: "Start asked for." },
  stop: { execute: (context, vmId) => wishVmStopped(context, { vmId }), done: "Stop asked for." },
  disconnect: {
    execute: (context, vmId) => wishSessionEnd(context, { vmId }),
    done: "Whoever was connected is being disconnected.",
  },
  block: {
    execute: (context, vmId) => blockVm(context, { vmId }),
    done: "Blocked. A session that is open goes on.",
  },
  unblock: { execute: (context, vmId) => unblockVm(context, { vmId }), done: "Unblocked." },
} as const satisfies Record<string, DesktopVerb>;

export function actOnDesktop(deps: AdminDeps, verb: keyof typeof DESKTOP_VERBS): Handler<AdminEnv> {
  const { execute, done } = DESKTOP_VERBS[verb];
  return async function executeVerb(c) {
    const vmId = idParam<VmId>(c, "desktop");
    return executeAndReturn(c, { fallback: `/desktops/${vmId}`, done }, async () => {
      await execute(contextOf(deps, c), vmId);
      deps.wake("vm", vmId);
    });
  };
}
