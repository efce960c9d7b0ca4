/**
 * The contract of whatever runs desktops on a box. A driver acts on one desktop at a time and decides
 * nothing; every verb may be called again and works without a finished predecessor. `contract.ts` is the
 * suite that each driver passes.
 */

import type { VmId } from "../domain/ids.ts";
import type { IdRange } from "../domain/node/id-range.ts";
import type { NetworkPort } from "../domain/node/network-port.ts";

/** What a driver needs to know of any desktop to start it. Paths are the host's. */
type CommonSpec = {
  readonly vmId: VmId;
  /** Holds the socket of the guest channel. Bound read-only to /run/qvd of a container. */
  readonly channelFolder: string;
  readonly hostName: string;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly idRange: IdRange;
  readonly port: NetworkPort;
};

/** A desktop in a container: a tree of files and our own agent. */
export type ContainerSpec = CommonSpec & {
  readonly kind: "container";
  /** Mounted root file system of the desktop, writable. */
  readonly rootFolder: string;
  /** Bound to /home. */
  readonly homeFolder: string;
  /** Folders of the host that are bound over the fresh system, outer ones first. */
  readonly binds?: readonly { readonly source: string; readonly path: string }[];
  /** Our own executable, bound read-only as the agent. */
  readonly agentExecutable: string;
  /** Whether its start gives way to whoever wants the processors, for a while; it does when left out. */
  readonly standsBack?: boolean;
};

/** A desktop in a virtual machine: disks, with an agent in the image or none. */
export type MachineSpec = CommonSpec & {
  readonly kind: "machine";
  /** A qcow2 file of the desktop's own, writable: what differs from `imageDisk`, or all of its system. */
  readonly systemDisk: string;
  /** What the system lies over, qcow2 or raw; never written to. Undefined where the system is whole. */
  readonly imageDisk: string | undefined;
  /** The person's own disk, raw; undefined where the OSF keeps nothing. */
  readonly homeDisk: string | undefined;
  /** Whether our agent is expected in the machine; without it nobody listens for it. */
  readonly hasAgent: boolean;
};

export type DesktopSpec = ContainerSpec | MachineSpec;

/** What is there now, read from the kernel; nothing is remembered. */
export type DesktopObservation = {
  readonly vmId: VmId;
  /** True while one process of the desktop exists, frozen or stuck ones too. */
  readonly isAlive: boolean;
  /** Control groups, interfaces or the like that a dead desktop left behind. */
  readonly leftovers: readonly string[];
};

export interface Hypervisor {
  /** Every desktop of this instance that runs or left something behind; of `only` those alone, and quicker. */
  observe(only?: readonly VmId[]): Promise<ReadonlyMap<VmId, DesktopObservation>>;
  /** A start is coming in some milliseconds, or isn't after all: what can be got ready for any is. May be called often. */
  expectStart?(): void;
  /** Cleans up what an earlier life left, then starts; resolves once the container exists, not when it has booted. */
  start(spec: DesktopSpec, signal: AbortSignal): Promise<void>;
  /** Its start is over: from here on it has a running desktop's share of the processors. Nothing to do for one that is gone. */
  settle(vmId: VmId): Promise<void>;
  /**
   * What a running desktop sends its own box may go in large packets from here on; true when that wasn't so. Missing where no
   * desktop has such a way. Cheap while there is nothing to do, and false of what is gone.
   */
  widenWay?(vmId: VmId): Promise<boolean>;
  /** Asks init to go down. */
  halt(vmId: VmId): Promise<void>;
  /**
   * Whether somebody in the desktop listens at the TCP port, by the kernel's own word; missing where it can't be known from
   * outside. Cheap, and false of what is gone.
   */
  isListening?(vmId: VmId, port: number): boolean;
  /** TERM to the desktop's monitor. */
  terminate(vmId: VmId): Promise<void>;
  /** KILL to everything of the desktop. */
  kill(vmId: VmId): Promise<void>;
  /** Removes leftovers of a dead desktop; refuses with `conflict` while it lives. */
  cleanUp(vmId: VmId): Promise<void>;
  /** Calls back soon after a desktop's end, more often than needed at times. Stop by the returned function. */
  watch(onChange: (vmId: VmId) => void): () => void;
}
