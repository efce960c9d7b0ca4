/** What the database wishes of a desktop, in the planner's terms. */

import type { NodeDesktop } from "../db/queries/node-desktops.ts";
import type { DiId } from "../domain/ids.ts";
import type { VmDesired, VmImage } from "../domain/vm/facts.ts";
import { drainOf } from "../domain/vm/plan-drain.ts";

/** Which images are unpacked on this box, and which just are being. */
export type BaseStates = {
  readonly unpacked: ReadonlySet<DiId>;
  readonly isUnpacking: (diId: DiId) => boolean;
};

export function composeDesired(
  desktop: NodeDesktop,
  /** `nowMs` is when the desktop was read. */
  box: { readonly isStopping: boolean; readonly nowMs: number; readonly bases: BaseStates },
): VmDesired {
  const { session, osf, expiresSoftInMs, expiresHardInMs } = desktop;
  return {
    wish: desktop.wish,
    generation: desktop.generation,
    wishedBy: desktop.wishedBy ?? "somebody",
    blockedReason: desktop.isBlocked ? (desktop.blockedReason ?? "an administrator blocked it") : undefined,
    isDeleted: desktop.isDeleted,
    isBoxStopping: box.isStopping,
    drain: drainOf({
      mode: desktop.drain,
      isShared: desktop.isShared === true,
      persistence: osf.persistence,
      hasRun: desktop.report !== null,
    }),
    image: composeImage(desktop, box.bases),
    session:
      session === null
        ? undefined
        : { id: session.id, state: session.state, requestedAtMs: box.nowMs - session.requestedAgeMs },
    policy: {
      idleStopMs: osf.idleStopSeconds === null ? undefined : osf.idleStopSeconds * 1000,
      onCrash: osf.onCrash,
    },
    expiresSoftAtMs: expiresSoftInMs === null ? undefined : box.nowMs + expiresSoftInMs,
    expiresHardAtMs: expiresHardInMs === null ? undefined : box.nowMs + expiresHardInMs,
  };
}

function composeImage({ image, diTag, osf }: NodeDesktop, bases: BaseStates): VmImage {
  const which = `The image ${image?.version} of ${osf.name}`;
  if (image === null)
    return {
      kind: "unusable",
      text: `No image of ${osf.name} carries the tag ${diTag}. Put the tag on one that is ready.`,
    };
  if (image.isBlocked) return { kind: "unusable", text: `${which} is blocked.` };
  const isMachine = osf.hypervisor === "kvm";
  if (isMachine !== (image.kind === "disk"))
    return {
      kind: "unusable",
      text: isMachine
        ? `${which} is an archive for containers; its desktops are virtual machines, which need a disk.`
        : `${which} is a disk for virtual machines; its desktops are containers, which need an archive.`,
    };
  switch (image.state) {
    case "ready":
      return {
        kind: "ready",
        diId: image.id,
        // A machine's disk lies over the image's file as it is.
        isUnpacked: isMachine || bases.unpacked.has(image.id),
        isBeingUnpacked: bases.isUnpacking(image.id),
      };
    case "failed":
      return {
        kind: "unusable",
        text: `${which} can't be used: ${image.fault ?? "it did not pass its checks"}`,
      };
    default:
      return { kind: "pending", text: `${which} is still being checked.` };
  }
}
