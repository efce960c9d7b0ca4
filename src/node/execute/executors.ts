/** The table of what can be done to a desktop, typed by the steps of the plan. */

import { attemptDatabase } from "../../db/errors.ts";
import type { NodeDesktop } from "../../db/queries/node-desktops.ts";
import type { NodeActor } from "../../domain/access/actor.ts";
import { AppError } from "../../lib/errors.ts";
import { blockVm } from "../../service/vm/block.ts";
import { clearVmExpiry } from "../../service/vm/clear-expiry.ts";
import { purgeVm } from "../../service/vm/purge.ts";
import { releaseVm } from "../../service/vm/release.ts";
import { wishVmStopped } from "../../service/vm/wish-stopped.ts";
import { wishVmStoppedByPolicy } from "../../service/vm/wish-stopped-by-policy.ts";
import { DISPLAY_PORT } from "../../wire/display/hello.ts";
import { type GuestExpiry, NX_PORT } from "../../wire/guest/messages.ts";
import type { LoopDeps } from "../deps.ts";
import { reportSession } from "../report/report-session.ts";
import { cleanUpDesktop } from "./clean-up.ts";
import type { ActingAction, Executor } from "./executor.ts";
import { prepareDisks } from "./prepare-disks.ts";
import { prepareSession } from "./prepare-session.ts";
import { startContainer } from "./start-container.ts";
import { unpackImage } from "./unpack-image.ts";

type Executors = { readonly [Action in ActingAction]: Executor<Action> };

export const EXECUTORS: Executors = {
  "unpack-image": unpackImage,
  "prepare-disks": prepareDisks,
  "start-container": startContainer,
  "ask-poweroff": async (deps, { desktop }, { timeoutMs }) => {
    if (!desktop.osf.hasAgent)
      throw new AppError("unavailable", "there is no agent of QVD's in this machine");
    await deps.channels.powerOff(desktop.vmId, timeoutMs);
  },
  halt: (deps, { desktop }) => deps.hypervisor.halt(desktop.vmId),
  terminate: (deps, { desktop }) => deps.hypervisor.terminate(desktop.vmId),
  kill: (deps, { desktop }) => deps.hypervisor.kill(desktop.vmId),
  "clean-up": (deps, { desktop }) => cleanUpDesktop(deps, desktop.vmId),
  "prepare-session": prepareSession,
  "report-session": async (deps, { desktop }, patch) => {
    const { vmId, epoch, generation, address } = desktop;
    const write = { vmId, epoch, generation, patch, address, port: NX_PORT, displayPort: DISPLAY_PORT };
    const isReported = await attemptDatabase(`report session ${patch.sessionId}`, () =>
      reportSession(deps.db, write, { nodeId: deps.node.nodeId }),
    );
    if (!isReported) throw new AppError("superseded", `reporting session ${patch.sessionId}: it is over`);
    deps.tell({ topic: "vm", vmId });
  },
  "wish-stopped": async (deps, { desktop: { vmId } }, { generation, cause, text }) => {
    const { db } = deps;
    if (cause === "powered-off")
      await wishVmStopped({ db, actor: { kind: "vm", vmId } }, { vmId, generation });
    else await wishVmStoppedByPolicy({ db, actor: asNode(deps) }, { vmId, generation, cause, text });
  },
  block: async (deps, { desktop: { vmId } }, { reason }) => {
    await blockVm({ db: deps.db, actor: asNode(deps) }, { vmId, reason });
  },
  "clear-expiry": async (deps, { desktop: { vmId } }) => {
    await clearVmExpiry({ db: deps.db, actor: asNode(deps) }, { vmId });
  },
  "notify-guest": (deps, { desktop }, { text, timeoutMs }) =>
    deps.channels.notify(desktop.vmId, text, { timeoutMs, expiry: expiryOf(desktop, deps.clock.nowMs()) }),
  release: async (deps, { desktop }, { text }) => {
    const actor = { kind: "node", name: deps.node.name } as const;
    const { nodeId } = deps.node;
    await releaseVm({ db: deps.db, actor }, { vmId: desktop.vmId, nodeId, text });
    deps.tell({ topic: "vm", vmId: desktop.vmId });
  },
  "retire-home": async (deps, { desktop }) => {
    await deps.storage.retireHome(desktop.vmId, new Date(deps.clock.nowMs()));
  },
  "delete-row": async (deps, { desktop }) => {
    await purgeVm(
      { db: deps.db, actor: { kind: "system", what: `node ${deps.node.name}` } },
      { vmId: desktop.vmId },
    );
    deps.tell({ topic: "vm", vmId: desktop.vmId });
  },
};

function asNode(deps: LoopDeps): NodeActor {
  return { kind: "node", name: deps.node.name };
}

/** The database's spans on this box's clock: for people and hooks, who compare it with nothing else. */
function expiryOf({ expiresSoftInMs, expiresHardInMs }: NodeDesktop, nowMs: number): GuestExpiry {
  const at = (inMs: number | null) => (inMs === null ? "" : new Date(nowMs + inMs).toISOString());
  return { soft: at(expiresSoftInMs), hard: at(expiresHardInMs) };
}
