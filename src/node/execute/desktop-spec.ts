/** A desktop as the hypervisor wants it: everything follows from its row and the box's settings. */

import type { NodeDesktop } from "../../db/queries/node-desktops.ts";
import { type KeptBind, listKeptBinds } from "../../domain/image/kept-folder.ts";
import { idRangeOf } from "../../domain/node/id-range.ts";
import { vmLayout } from "../../domain/node/layout.ts";
import { type MachineKeeps, machineDisks } from "../../domain/node/machine-disks.ts";
import type { NetworkPort } from "../../domain/node/network-port.ts";
import type { DesktopSpec } from "../../hypervisor/driver.ts";
import { AppError } from "../../lib/errors.ts";
import type { PortOptions } from "../../network/network.ts";
import type { NodeSettings } from "../deps.ts";
import type { ChannelPlace } from "../guest-channel/guest-channels.ts";
import { imagePath } from "./image-path.ts";

export function desktopSpec(settings: NodeSettings, desktop: NodeDesktop, port: NetworkPort): DesktopSpec {
  const { vmId, osf } = desktop;
  const places = vmLayout(settings.layout, vmId);
  const common = {
    vmId,
    channelFolder: places.channel,
    hostName: hostName(desktop),
    memoryMb: osf.memoryMb,
    cpus: osf.cpus,
    idRange: idRangeOf(settings.idRangeFirst, desktop.idSlot),
    port,
  };
  if (osf.hypervisor === "kvm") {
    const disks = machineDisks(settings.layout, vmId, machineKeeps(settings, desktop));
    return { kind: "machine", ...common, ...disks, hasAgent: osf.hasAgent };
  }
  return {
    kind: "container",
    ...common,
    rootFolder: places.root,
    homeFolder: places.home,
    binds: keptBinds(desktop).map(({ path, name }) => ({ source: `${places.kept}/${name}`, path })),
    agentExecutable: settings.agentExecutable,
  };
}

/** What a machine's disks are made of. */
export function machineKeeps({ layout }: NodeSettings, { image, osf, vmId }: NodeDesktop): MachineKeeps {
  if (image === null)
    throw new AppError("superseded", `starting desktop ${vmId}: its tag is on no image any more`);
  return { persistence: osf.persistence, diId: image.id, imagePath: imagePath(layout, image) };
}

function keptBinds({ osf }: NodeDesktop): readonly KeptBind[] {
  return osf.persistence === "folders" ? listKeptBinds(osf.keptFolders) : [];
}

export function channelPlace(settings: NodeSettings, desktop: NodeDesktop): ChannelPlace {
  return {
    socketPath: vmLayout(settings.layout, desktop.vmId).channelSocket,
    ownerUid: idRangeOf(settings.idRangeFirst, desktop.idSlot).first,
  };
}

/** Neighbours are those of the same tenant whose OSFs allow it, each of them. */
export function portOptions(desktop: NodeDesktop): PortOptions {
  const group = desktop.osf.allowsNeighbours ? { group: desktop.tenantId } : {};
  return { hostName: hostName(desktop), ...group };
}

/** A desktop's name may hold anything a person can type; a host name may not. */
function hostName({ name, vmId }: NodeDesktop): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return plain === "" ? `vm-${vmId}` : plain;
}
