/** What the node's loop works with: narrow views of the drivers, so that each can be exchanged in a test. */

import type { Db } from "../db/client.ts";
import type { DiId, NodeId, VmId } from "../domain/ids.ts";
import type { Layout } from "../domain/node/layout.ts";
import type { NetworkRange } from "../domain/node/network-range.ts";
import type { VmLimits } from "../domain/vm/facts.ts";
import type { Hypervisor } from "../hypervisor/driver.ts";
import type { Clock, Timers } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Network } from "../network/network.ts";
import type { Storage } from "../storage/storage.ts";
import type { TellWake } from "../wire/wake/messages.ts";
import type { EarlySessions } from "./early-sessions.ts";
import type { GuestChannels, PrepareRequest } from "./guest-channel/guest-channels.ts";

export type NodeIdentity = { readonly nodeId: NodeId; readonly name: string };

/** What stays the same while the node process lives. */
export type NodeSettings = {
  readonly instance: string;
  readonly layout: Layout;
  readonly idRangeFirst: number;
  readonly range: NetworkRange;
  /** Bound into desktops as their agent. */
  readonly agentExecutable: string;
  /** How init begins a session before there is an agent; undefined where it must wait for one. */
  readonly renderOrderScript?: (order: PrepareRequest) => string | undefined;
  readonly parallelStarts: number;
  /** At a time while somebody works on this box; as many as else when left out. */
  readonly gentleStarts?: number;
  readonly parallelStops: number;
  readonly limits: VmLimits;
  /** Of virtual machines, which boot a system of their own; the same as those of containers when left out. */
  readonly machineLimits?: VmLimits;
  /** What is known by now of how virtual machines run here. */
  readonly machineAccelerator?: () => "kvm" | "tcg" | undefined;
  /** Of the box's own hooks; undefined: it has none. */
  readonly hooksFolder?: string;
};

export type LoopDeps = {
  readonly node: NodeIdentity;
  readonly settings: NodeSettings;
  readonly db: Db;
  readonly hypervisor: Hypervisor;
  readonly storage: Omit<
    Storage,
    | "freeBytes"
    | "readUse"
    | "verifyArchive"
    | "verifyDisk"
    | "fetchImage"
    | "tryImageLock"
    | "listBases"
    | "removeBase"
  >;
  readonly network: Pick<Network, "addPort" | "portOf" | "listPorts" | "removePort" | "checkPort">;
  readonly channels: GuestChannels;
  /** Tells the other processes of the box that something of a desktop or an image has changed. */
  readonly tell: TellWake;
  /** Gives unplaced desktops to nodes; returns those that were placed. */
  readonly place: () => Promise<readonly VmId[]>;
  /** True while the image is being unpacked in advance, for whoever starts from it first. */
  readonly isUnpacking: (diId: DiId) => boolean;
  /** False while this box may start nothing. */
  readonly hasLease: () => boolean;
  /** Sessions that begin before their agents; missing where none can. */
  readonly earlySessions?: EarlySessions | undefined;
  /** True while somebody is at the machine's own screen by this box's console door. */
  readonly isAtConsole?: (vmId: VmId) => boolean;
  /** True while somebody sits at a desktop of this box. */
  readonly isAtWork?: () => boolean;
  readonly clock: Clock;
  /** The system's where none are given. */
  readonly timers?: Timers;
  readonly log: Log;
};
