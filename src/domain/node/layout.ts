/**
 * Where things lie on a box: one place for every path below the state and run folders. Pure; who makes the
 * folders, and with which owner, is `src/cli/box/prepare.ts`.
 */

import type { DiId, VmId } from "../ids.ts";

export type Layout = {
  /** The box's own: fast, local, not on an overlay. */
  readonly stateFolder: string;
  readonly runFolder: string;
  /** What every box of the site sees, such as NFS; the state folder where there is one box only. */
  readonly sharedFolder: string;
  /** TLS key and certificates, database passwords. Only root may list it. */
  readonly secretsFolder: string;
  readonly tlsKey: string;
  readonly tlsCertificate: string;
  readonly caCertificate: string;
  /** What secrets among the site settings are sealed for: auth's half, and the one for who seals. */
  readonly settingsKey: string;
  readonly settingsPublicKey: string;
  /** Cluster of the embedded database. */
  readonly databaseFolder: string;
  readonly databaseSocketFolder: string;
  /** Image archives that passed verification. */
  readonly imagesFolder: string;
  /** Where the admin process lays uploads down; the node takes them from here. */
  readonly incomingFolder: string;
  /** Unpacked images, one folder an image; only root may enter. */
  readonly basesFolder: string;
  readonly vmsFolder: string;
  /** First program of every container whose image brings none. */
  readonly desktopInit: string;
  /** Homes are kept for good, apart from all else. */
  readonly homesFolder: string;
  /** What desktops keep besides their homes, by their OSF; moves with them like the homes. */
  readonly keptFolder: string;
  /** One counter a box: the half of its right to run that doesn't depend on the database. */
  readonly leasesFolder: string;
  readonly logsFolder: string;
  /** Sockets of `qvd auth run`, one folder for each process that may ask; access by group. */
  readonly authSocketForBroker: string;
  readonly authSocketForAdmin: string;
  /** Where processes of this box wake each other. */
  readonly wakeSocket: string;
  /** Where brokers of this box come to the screens of virtual machines. */
  readonly consoleSocket: string;
  readonly nodeProcessFile: string;
  /** What each broker process says of itself; theirs to write. */
  readonly brokersFolder: string;
};

/** An empty `sharedFolder` is the state folder: what there is stays on this box. */
export function layoutOf(stateFolder: string, runFolder: string, sharedFolder = ""): Layout {
  const shared = sharedFolder === "" ? stateFolder : sharedFolder;
  const secretsFolder = `${stateFolder}/secrets`;
  return {
    stateFolder,
    runFolder,
    sharedFolder: shared,
    secretsFolder,
    tlsKey: `${secretsFolder}/tls.key`,
    tlsCertificate: `${secretsFolder}/tls.crt`,
    caCertificate: `${stateFolder}/ca.crt`,
    settingsKey: `${secretsFolder}/settings.key`,
    settingsPublicKey: `${stateFolder}/settings.pub`,
    databaseFolder: `${stateFolder}/database`,
    databaseSocketFolder: `${runFolder}/database`,
    imagesFolder: `${shared}/images`,
    incomingFolder: `${shared}/images/incoming`,
    basesFolder: `${stateFolder}/bases`,
    vmsFolder: `${stateFolder}/vms`,
    desktopInit: `${stateFolder}/desktop-init`,
    homesFolder: `${shared}/homes`,
    keptFolder: `${shared}/kept`,
    leasesFolder: `${shared}/leases`,
    logsFolder: `${stateFolder}/logs`,
    authSocketForBroker: `${runFolder}/auth-broker/socket`,
    authSocketForAdmin: `${runFolder}/auth-admin/socket`,
    wakeSocket: `${runFolder}/wake/socket`,
    consoleSocket: `${runFolder}/console/socket`,
    nodeProcessFile: `${runFolder}/node.json`,
    brokersFolder: `${runFolder}/brokers`,
  };
}

/** Images unpacked once for all boxes of the site, where the shared folder's file system can carry that. */
export function withSharedBases(layout: Layout): Layout {
  return { ...layout, basesFolder: `${layout.sharedFolder}/bases` };
}

export type VmLayout = {
  readonly folder: string;
  /** Writable layer of the overlay and the overlay's work folder. */
  readonly upper: string;
  readonly work: string;
  /** The base tree as this desktop's id range sees it. */
  readonly base: string;
  readonly root: string;
  readonly home: string;
  /** Where the file system of the home's image is mounted, and that of a system that is kept or has a limit. */
  readonly homeDisk: string;
  readonly layerDisk: string;
  /** What is made at a start and thrown away at the stop, beside upper and work. */
  readonly fresh: string;
  /** Kept folders as the desktop's id range sees them, one below it for each. */
  readonly kept: string;
  /** Bound read-only to /run/qvd in the desktop. */
  readonly channel: string;
  readonly channelSocket: string;
  /** What its agent is to do first, and how its init may begin with it. */
  readonly channelOrder: string;
  readonly channelOrderScript: string;
  /** What its agent waits at while others have their sessions prepared. */
  readonly channelGate: string;
  /** Of a virtual machine: its system, fresh from the image or kept, and the person's own disk. */
  readonly systemDisk: string;
  readonly machineFolder: string;
  /** The machine's screen, as VNC. */
  readonly screenSocket: string;
};

export function vmLayout(layout: Layout, vmId: VmId): VmLayout {
  const folder = `${layout.vmsFolder}/${vmId}`;
  return {
    folder,
    upper: `${folder}/upper`,
    work: `${folder}/work`,
    base: `${folder}/base`,
    root: `${folder}/root`,
    home: `${folder}/home`,
    homeDisk: `${folder}/home-disk`,
    layerDisk: `${folder}/layer-disk`,
    fresh: `${folder}/fresh`,
    kept: `${folder}/kept`,
    channel: `${folder}/channel`,
    channelSocket: `${folder}/channel/guest.sock`,
    channelOrder: `${folder}/channel/order`,
    channelOrderScript: `${folder}/channel/order.sh`,
    channelGate: `${folder}/channel/gate`,
    systemDisk: `${folder}/fresh/system.qcow2`,
    machineFolder: `${folder}/machine`,
    screenSocket: `${folder}/machine/vnc`,
  };
}

export function baseFolder(layout: Layout, diId: DiId): string {
  return `${layout.basesFolder}/${diId}`;
}

export function homeFolder(layout: Layout, vmId: VmId): string {
  return `${layout.homesFolder}/${vmId}`;
}

/** A home with a limit, or one that must be able to move: a file system in a file. */
export function homeImage(layout: Layout, vmId: VmId): string {
  return `${layout.homesFolder}/${vmId}.img`;
}

/** What a desktop keeps besides its home. */
export function keptFolder(layout: Layout, vmId: VmId): string {
  return `${layout.keptFolder}/${vmId}`;
}

/** True where other boxes see the homes too. */
export function isShared(layout: Layout): boolean {
  return layout.sharedFolder !== layout.stateFolder;
}
