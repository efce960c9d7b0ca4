/**
 * The command line of a desktop's QEMU. Pure. It runs as the desktop's own unprivileged user, without any
 * capability, in QEMU's own sandbox: what it may touch, it inherits opened (disks and cable as descriptors) or
 * finds in its own folder (sockets).
 */

import type { MachineSpec } from "../driver.ts";
import type { MachineFiles } from "./machine-files.ts";

export type Accelerator = "kvm" | "tcg";

export type DiskFormat = "qcow2" | "raw";

/** Numbers of the descriptors as the QEMU has them. */
export type Descriptors = {
  readonly tap: number;
  readonly system: number;
  readonly image: { readonly descriptor: number; readonly format: DiskFormat } | undefined;
  readonly home: number | undefined;
  /** Those among them whose writes pass this box's memory by. */
  readonly direct?: readonly number[];
};

export type QemuOptions = {
  readonly accelerator: Accelerator;
  /** Owner of /dev/kvm; its members may use it. */
  readonly kvmGid: number | undefined;
  readonly files: MachineFiles;
  readonly channelSocket: string;
  readonly descriptors: Descriptors;
};

const TRANSLATIONS_MB = 128;
/** QEMU itself, its screen, and what its devices keep; measured at 140 to 200. */
const OWN_MB = 256;

/** What all of a machine may take of the host's memory: a limit below ends it in the middle of its work. */
export function machineMemoryMb(memoryMb: number, accelerator: Accelerator): number {
  return memoryMb + OWN_MB + (accelerator === "tcg" ? TRANSLATIONS_MB : 0);
}

export function qemuCommand(spec: MachineSpec, options: QemuOptions): readonly string[] {
  const { accelerator, files, descriptors } = options;
  const isEmulated = accelerator === "tcg";
  return [
    ...WITHOUT_NETWORK,
    ...asUser(spec.idRange.first, isEmulated ? undefined : options.kvmGid),
    "/usr/bin/qemu-system-x86_64",
    ...["-name", `guest=vm-${spec.vmId},debug-threads=on`],
    ...["-nodefaults", "-no-user-config", "-rtc", "base=utc", "-boot", "strict=on"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...["-pidfile", files.pid],
    ...["-machine", "q35,usb=off,vmport=off,dump-guest-core=off,memory-backend=mem"],
    ...["-accel", isEmulated ? `tcg,tb-size=${TRANSLATIONS_MB}` : "kvm", "-cpu", isEmulated ? "max" : "host"],
    ...["-smp", `${spec.cpus}`, "-m", `${spec.memoryMb}`],
    ...["-object", `memory-backend-memfd,id=mem,size=${spec.memoryMb}M,share=on`],
    ...control("mon", files.control),
    ...control("mon2", files.spareControl),
    ...systemDisk(descriptors),
    ...homeDisk(descriptors),
    ...["-netdev", `tap,id=net,fd=${descriptors.tap}`],
    ...["-device", `virtio-net-pci,netdev=net,mac=${spec.port.mac},romfile=`],
    ...["-device", "virtio-rng-pci"],
    ...["-device", "virtio-balloon-pci,id=balloon,deflate-on-oom=on,free-page-reporting=on"],
    ...agentPort(spec, options.channelSocket),
    ...["-device", "VGA,vgamem_mb=16", "-display", "none", "-vnc", `unix:${files.screen}`],
    ...["-device", "qemu-xhci", "-device", "usb-tablet"],
  ];
}

/**
 * A QEMU that its guest has taken over would speak for the box, past all rules of the desktop network. Its cable is
 * an open descriptor and its sockets are files: it needs no network.
 */
const WITHOUT_NETWORK = ["/usr/bin/unshare", "--net", "--ipc", "--uts", "--"];

function asUser(uid: number, extraGid: number | undefined): readonly string[] {
  return [
    ...["/usr/bin/setpriv", "--reuid", `${uid}`, "--regid", `${uid}`],
    ...(extraGid === undefined ? ["--clear-groups"] : ["--groups", `${extraGid}`]),
    ...["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"],
  ];
}

function control(id: string, path: string): readonly string[] {
  const chardev = `socket,id=${id},path=${escapeOption(path)},server=on,wait=off`;
  return ["-chardev", chardev, "-mon", `chardev=${id},mode=control`];
}

/**
 * A null backing overrides what a file's own header says: a QEMU that a guest has taken over could write any
 * path of the host there, for the next start to follow.
 */
function systemDisk({ system, image, direct }: Descriptors): readonly string[] {
  const cache = cacheOf(system, direct);
  const over = image === undefined ? { backing: null } : { backing: "image" };
  return [
    ...(image === undefined ? [] : imageNodes(image)),
    ...["-add-fd", `fd=${system},set=${system}`],
    ...blockdev({
      driver: "file",
      "node-name": "system-file",
      filename: `/dev/fdset/${system}`,
      ...WRITABLE,
      ...cache,
    }),
    ...blockdev({
      ...{ driver: "qcow2", "node-name": "system", file: "system-file" },
      ...{ ...THIN, ...cache, ...over },
    }),
    ...["-device", "virtio-blk-pci,drive=system,serial=system,bootindex=1,werror=stop,rerror=stop"],
  ];
}

const THIN = { discard: "unmap", "detect-zeroes": "unmap" };
const WRITABLE = { discard: "unmap", locking: "on" };

/** Said of each node: none takes it over from the one below. */
function cacheOf(descriptor: number, direct: Descriptors["direct"]) {
  return direct?.includes(descriptor) ? { cache: { direct: true } } : {};
}

function imageNodes({ descriptor, format }: { descriptor: number; format: DiskFormat }): readonly string[] {
  const isQcow2 = format === "qcow2";
  return [
    ...["-add-fd", `fd=${descriptor},set=${descriptor}`],
    ...blockdev({
      driver: "file",
      "node-name": "image-file",
      filename: `/dev/fdset/${descriptor}`,
      "read-only": true,
      locking: "on",
    }),
    ...blockdev({
      driver: format,
      "node-name": "image",
      file: "image-file",
      "read-only": true,
      ...(isQcow2 ? { backing: null } : {}),
    }),
  ];
}

function homeDisk({ home, direct }: Descriptors): readonly string[] {
  if (home === undefined) return [];
  const cache = cacheOf(home, direct);
  const file = { driver: "file", "node-name": "home-file", filename: `/dev/fdset/${home}` };
  return [
    ...["-add-fd", `fd=${home},set=${home}`],
    ...blockdev({ ...file, ...WRITABLE, ...cache }),
    ...blockdev({ driver: "raw", "node-name": "home", file: "home-file", ...THIN, ...cache }),
    // The guest finds it as /dev/disk/by-id/virtio-home.
    ...["-device", "virtio-blk-pci,drive=home,serial=home,werror=stop,rerror=stop"],
  ];
}

/** It connects to the node's socket and comes again for ever: the node may restart, or make the guest wait. */
function agentPort(spec: MachineSpec, socket: string): readonly string[] {
  if (!spec.hasAgent) return [];
  return [
    ...["-device", "virtio-serial-pci,id=serial"],
    ...["-chardev", `socket,id=agent,path=${escapeOption(socket)},server=off,reconnect=1`],
    ...["-device", "virtserialport,bus=serial.0,nr=1,chardev=agent,name=org.qvd.guest.0"],
  ];
}

type Node = Readonly<Record<string, string | boolean | null | { readonly direct: boolean }>>;

function blockdev(node: Node): readonly string[] {
  return ["-blockdev", JSON.stringify(node)];
}

/** In QEMU's options a comma ends a value. */
function escapeOption(path: string): string {
  return path.replaceAll(",", ",,");
}
