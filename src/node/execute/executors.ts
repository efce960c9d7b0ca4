/** The table of what can be done to a desktop, typed by the steps of the plan. */

import { attemptDatabase } from "../../db/errors.ts";
import { purgeVm } from "../../service/vm/purge.ts";
import { wishVmStopped } from "../../service/vm/wish-stopped.ts";
import { NX_PORT } from "../../wire/guest/messages.ts";
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
  "ask-poweroff": (deps, { desktop }, { timeoutMs }) => deps.channels.powerOff(desktop.vmId, timeoutMs),
  halt: (deps, { desktop }) => deps.hypervisor.halt(desktop.vmId),
  terminate: (deps, { desktop }) => deps.hypervisor.terminate(desktop.vmId),
  kill: (deps, { desktop }) => deps.hypervisor.kill(desktop.vmId),
  "clean-up": (deps, { desktop }) => cleanUpDesktop(deps, desktop.vmId),
  "prepare-session": prepareSession,
  "report-session": async (deps, { desktop }, patch) => {
    const { vmId, epoch, generation, address } = desktop;
    const write = { vmId, epoch, generation, patch, address, port: NX_PORT };
    await attemptDatabase(`report session ${patch.sessionId}`, () =>
      reportSession(deps.db, write, { nodeId: deps.node.nodeId }),
    );
    deps.tell({ topic: "vm", vmId });
  },
  "wish-stopped": async (deps, { desktop }, { generation }) => {
    const actor = { kind: "vm", vmId: desktop.vmId } as const;
    await wishVmStopped({ db: deps.db, actor }, { vmId: desktop.vmId, generation });
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
