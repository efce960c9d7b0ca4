/**
 * The box's own hooks, by QVD 4's names: programs in a folder of this box, never of a tenant or an image, run as
 * root with key and value arguments in pairs.
 *
 * | hook      | runs                                             | failing                          |
 * |---|---|---|
 * | prestart  | before the desktop's container or machine starts | gives the start up, as one try   |
 * | poststart | when it runs                                     | is told in its trail             |
 * | poststop  | when nothing of it is left running               | is told in its trail             |
 */

import { statSync } from "node:fs";
import type { Db } from "../../db/client.ts";
import { attemptDatabase } from "../../db/errors.ts";
import type { NodeDesktop } from "../../db/queries/node-desktops.ts";
import { readNodeProperties, readVmProperties } from "../../db/queries/properties.ts";
import type { NodeId } from "../../domain/ids.ts";
import { type Layout, vmLayout } from "../../domain/node/layout.ts";
import type { NetworkPort } from "../../domain/node/network-port.ts";
import { AppError, describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { runToFile } from "../../lib/run.ts";
import { listMountsBelow } from "../../storage/mountinfo.ts";
import { reportHookFailure } from "../report/report-hook.ts";
import { composePlaces } from "./hook-places.ts";

export const HOST_HOOKS = ["prestart", "poststart", "poststop"] as const;
export type HostHook = (typeof HOST_HOOKS)[number];

export type HostHooksDeps = {
  readonly settings: { readonly layout: Layout; readonly hooksFolder?: string };
  readonly db: Db;
  readonly node: { readonly nodeId: NodeId };
  readonly network: { portOf(vmId: NodeDesktop["vmId"], address: string): NetworkPort };
  readonly log: Log;
};

export const HOST_HOOK_TIMEOUT_MS = 30_000;
const MOST_TEXT = 300;

/** Runs a hook where there is one. Throws `driver-failed` with what it said when it fails, or isn't safe to run. */
export async function runHostHook(
  deps: HostHooksDeps,
  hook: HostHook,
  about: { readonly desktop: NodeDesktop; readonly state: string; readonly timeoutMs?: number },
): Promise<void> {
  const { layout, hooksFolder } = deps.settings;
  const program = hooksFolder === undefined ? undefined : findProgram(hooksFolder, hook);
  if (program === undefined) return;
  const { vmId } = about.desktop;
  const timeoutMs = about.timeoutMs ?? HOST_HOOK_TIMEOUT_MS;
  const pairs = await composePairs(deps, hook, about);
  const { exitCode, lastWords } = await runToFile([program, ...Object.entries(pairs).flat()], {
    logFile: `${layout.logsFolder}/hooks.log`,
    timeoutMs,
  });
  deps.log.info("host-hook-ended", { vmId, hook, exitCode });
  if (exitCode === 0) return;
  const last = lastWords.split("\n").at(-1)?.slice(0, MOST_TEXT) ?? "";
  const end = exitCode === undefined ? `was not done after ${timeoutMs / 1000} s` : `ended with ${exitCode}`;
  throw new AppError(
    "driver-failed",
    `The box's hook ${hook} (${program}) ${end}${last === "" ? "." : `: ${last}`}`,
  );
}

/** For those that only look on: a failure goes to the trail, and nothing waits. */
export function runHostHookBeside(
  deps: HostHooksDeps & { readonly onWritten: (vmId: NodeDesktop["vmId"]) => void },
  hook: HostHook,
  about: { readonly desktop: NodeDesktop; readonly state: string },
): void {
  const { vmId } = about.desktop;
  runHostHook(deps, hook, about)
    .catch(async (error) => {
      const text = describeError(error);
      deps.log.warn("host-hook-failed", { vmId, hook, text });
      await attemptDatabase(`tell of a failed hook of desktop ${vmId}`, () =>
        reportHookFailure(deps.db, deps.node.nodeId, { vmId, hook, text }),
      );
      deps.onWritten(vmId);
    })
    .catch((error) => deps.log.warn("hook-failure-not-told", { vmId, hook, error }));
}

/** Undefined when there is none. What others than root may write is never run, nor what they may put there. */
function findProgram(folder: string, hook: HostHook): string | undefined {
  const path = `${folder}/${hook}`;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true || (found.mode & 0o111) === 0) return undefined;
  const open = [path, folder].find((one) => !isRootsAlone(one));
  if (open === undefined) return path;
  const what = open === path ? "it" : `its folder ${folder}`;
  throw new AppError(
    "driver-failed",
    `The box's hook ${path} is not run: others than root may write ${what}.`,
  );
}

function isRootsAlone(path: string): boolean {
  const { uid, mode } = statSync(path);
  return uid === 0 && (mode & 0o022) === 0;
}

/** The original's names. The node's properties are the site's: a tenant's can't pass for them, nor either for ours. */
async function composePairs(
  deps: HostHooksDeps,
  hook: HostHook,
  { desktop, state }: { readonly desktop: NodeDesktop; readonly state: string },
): Promise<Readonly<Record<string, string>>> {
  const { vmId, address } = desktop;
  const { layout } = deps.settings;
  const [ofNode, ofVm] = await attemptDatabase(`read the properties of desktop ${vmId}`, () =>
    Promise.all([readNodeProperties(deps.db, deps.node.nodeId), readVmProperties(deps.db, vmId)]),
  );
  const places = vmLayout(layout, vmId);
  return {
    ...ofVm,
    ...ofNode,
    id: String(vmId),
    hook,
    state,
    ...composePlaces(desktop.osf, places, listMountsBelow(places.root)),
    mac: deps.network.portOf(vmId, address).mac,
    name: desktop.name,
    ip: address,
    lxc_name: String(vmId),
    lxc_path: layout.vmsFolder,
  };
}
