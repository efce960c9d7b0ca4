/**
 * After a start of the node process: finds the desktops that run, opens their guest channels again, and says
 * so in their trail. Their agents attach by themselves; their sessions never noticed. What died meanwhile is
 * left to the first pass, which sees it.
 */

import { listNodeDesktops, type NodeDesktop } from "../db/queries/node-desktops.ts";
import { vmLayout } from "../domain/node/layout.ts";
import type { LoopDeps } from "./deps.ts";
import { channelPlace, portOptions } from "./execute/desktop-spec.ts";
import { readReport } from "./memory.ts";
import { reportBoxRestarted } from "./report/report-box-restarted.ts";
import { reportVm } from "./report/report-vm.ts";
import { settleDesktop } from "./settle-desktop.ts";

/** Returns how many desktops were found running. `isFreshBoot` when nothing of ours has run since the machine's start. */
export async function recoverDesktops(
  deps: LoopDeps,
  { isFreshBoot }: { readonly isFreshBoot: boolean } = { isFreshBoot: false },
): Promise<number> {
  const [desktops, seen] = await Promise.all([
    listNodeDesktops(deps.db, deps.node.nodeId),
    deps.hypervisor.observe(),
  ]);
  const alive = desktops.filter(({ vmId }) => seen.get(vmId)?.isAlive === true);
  if (isFreshBoot) {
    const { nodeId } = deps.node;
    await reportBoxRestarted(deps.db, { nodeId, alive: alive.map(({ vmId }) => vmId) });
  }
  const ports = await deps.network.listPorts();
  for (const desktop of alive) {
    if ((ports.get(desktop.vmId)?.addresses.length ?? 0) === 0) await letThrough(deps, desktop);
    if (desktop.osf.hasAgent) deps.channels.open(desktop.vmId, channelPlace(deps.settings, desktop));
    deps.earlySessions?.openLeft(vmLayout(deps.settings.layout, desktop.vmId).channelGate);
    await tell(deps, desktop);
  }
  return alive.length;
}

/** Another program may have emptied the packet filter: rules are back by now, and who is known to them is told here. */
async function letThrough({ network, log }: LoopDeps, desktop: NodeDesktop): Promise<void> {
  const { vmId, address } = desktop;
  await network.addPort(vmId, address, portOptions(desktop)).then(
    () => log.warn("port-let-through-again", { vmId, address }),
    // It runs on as it is, and its network's check tells.
    (error) => log.warn("port-not-let-through", { vmId, address, error }),
  );
}

async function tell(deps: LoopDeps, desktop: NodeDesktop): Promise<void> {
  const nowMs = deps.clock.monotonicMs();
  const report = readReport(desktop, nowMs);
  if (report.state !== "running") return;
  // It may have come up just before the end of the node before.
  await settleDesktop(deps, desktop.vmId);
  const text = "The node was started again and found the desktop running.";
  const { vmId, epoch } = desktop;
  const events = [{ code: "desktop-found" as const, text }];
  await reportVm(deps.db, { vmId, epoch, report, events }, { nodeId: deps.node.nodeId, nowMs });
}
