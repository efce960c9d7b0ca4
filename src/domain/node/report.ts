/** What a box says of itself (`node_reports.facts`), and what it finds wrong, with advice. Pure. */

import type { VmState } from "../vm/state.ts";
import type { LeaseFacts } from "./describe-lease.ts";

export type WorkerFacts = {
  /** Such as `auth` or `broker-1`. */
  readonly name: string;
  readonly pid: number | null;
  /** `draining`: newer ones have taken its place, and it goes on with what it carries. */
  readonly state: "running" | "restarting" | "stopped" | "draining";
  /** Milliseconds since 1970. */
  readonly startedAtMs: number | null;
  readonly restarts: number;
  /** Sittings that it carries; null where that isn't its work. */
  readonly connections: number | null;
  /** Its place is, or is to be, taken by a newer one of its name. */
  readonly isElder?: boolean | undefined;
  /** When what it still carries is ended, in milliseconds since 1970. */
  readonly deadlineAtMs?: number | undefined;
  /** Connections that it refused since their addresses had too many; left out where there were none. */
  readonly turnedAway?: number | undefined;
  /** What it can't do as it is told, in words. */
  readonly trouble?: string | undefined;
};

export type NodeProblem = {
  readonly text: string;
  readonly advice: string;
  /** It sums up what desktops tell of themselves: who lists those need not say it twice. */
  readonly isOfDesktops?: true;
};

export type NodeFacts = {
  readonly version: string;
  readonly pid: number;
  readonly instance: string;
  readonly cpus: number;
  /** Of all processors, as the kernel measured them. */
  readonly bogomips?: number | undefined;
  /** Kinds of desktops that it has the programs for. */
  readonly hypervisors?: readonly string[];
  /** How virtual machines run here: on its processors, or emulated. Left out where there are none. */
  readonly machines?: "kvm" | "tcg" | undefined;
  /** How long a desktop may take to come up, by what runs it. */
  readonly startTimeoutsMs?: { readonly lxc: number; readonly kvm: number } | undefined;
  readonly memoryMb: number;
  readonly memoryFreeMb: number;
  readonly diskFreeMb: number;
  readonly lease: LeaseFacts;
  readonly workers: readonly WorkerFacts[];
  readonly desktops: Readonly<Partial<Record<VmState, number>>>;
  /** Of desktops that run here though the database doesn't place them here; left out where there are none. */
  readonly strangers?: readonly number[] | undefined;
  readonly problems: readonly NodeProblem[];
};

/** `reason` says why machines are emulated, and what to do about it. */
export type MachineRunning = { readonly accelerator: "kvm" | "tcg"; readonly reason: string };

/** An image that this box can't unpack, with the reason. */
export type NotUnpacked = { readonly name: string; readonly code: string; readonly text: string };

export type HomeSign = { readonly name: string; readonly sizeMb: number; readonly usedMb: number };

/** Somebody took away the rules that keep desktops apart. */
export type RulesSign = {
  /** Since the node's start. */
  readonly times: number;
  /** The last time, in milliseconds since 1970. */
  readonly atMs: number;
  /** Such as `nft (process 812)`; undefined where nobody knows. */
  readonly by: string | undefined;
  /** Why they can't be put back; undefined where they are. */
  readonly fault: string | undefined;
};

export type NodeSigns = {
  readonly workers: readonly WorkerFacts[];
  readonly hasLease: boolean;
  readonly memoryFreeMb: number;
  readonly diskFreeMb: number;
  readonly stateFolder: string;
  readonly sharedFolder?: string;
  /** Undefined without a shared storage, null where it doesn't answer. */
  readonly sharedFreeMb?: number | null | undefined;
  /** Homes with a limit that are in use. */
  readonly homes?: readonly HomeSign[];
  /** Names of desktops whose disk the kernel stopped writing to. */
  readonly halted?: readonly string[];
  /** Desktops that can't be started, with the reason. */
  readonly givenUp: readonly { readonly name: string; readonly text: string }[];
  readonly zombies: readonly string[];
  /** Ids of desktops that run here unknown to the database. */
  readonly strangers: readonly number[];
  readonly notUnpacked: readonly NotUnpacked[];
  /** Ids of images that lie here unknown to the database. */
  readonly strangeImages: readonly number[];
  /** Undefined where all is well, as long as it was for an hour. */
  readonly rules?: RulesSign | undefined;
  /** Undefined where no desktop is a virtual machine. */
  readonly machines?: MachineRunning | undefined;
};

const LEAST_DISK_MB = 1_024;
const LEAST_MEMORY_MB = 256;
const NEARLY_FULL_PERCENT = 90;
const MOST_NAMED = 5;

export function listProblems(signs: NodeSigns): readonly NodeProblem[] {
  const problems: NodeProblem[] = [];
  const add = (text: string, advice: string) => problems.push({ text, advice });
  if (!signs.hasLease)
    add(
      "This node does not hold its lease, so it starts no desktops.",
      "Look whether another node is registered under its name; restart this one when there is none.",
    );
  for (const worker of signs.workers)
    if (worker.state === "restarting" || worker.state === "stopped")
      add(
        `${worker.name} is not running (${worker.restarts} restarts).`,
        `Read its log, ${worker.name}.log in the logs folder.`,
      );
  for (const trouble of new Set(signs.workers.map((worker) => worker.trouble)))
    if (trouble !== undefined)
      add(
        `${trouble}.`,
        "What was there before stays in use. It is looked at again once the file is another.",
      );
  if (signs.workers.some(({ isElder, state }) => isElder && state === "running"))
    add(
      "Broker processes wait to be replaced: their successors don't listen yet.",
      "Those before go on serving. When this lasts, broker-1.log in the logs folder says why.",
    );
  if (signs.diskFreeMb < LEAST_DISK_MB)
    add(
      `Only ${signs.diskFreeMb} MB are free where ${signs.stateFolder} lies.`,
      "Delete old images, or move the state folder (QVD_STATE) to a larger disk.",
    );
  if (signs.memoryFreeMb < LEAST_MEMORY_MB)
    add(
      `Only ${signs.memoryFreeMb} MB of memory are free.`,
      "Stop desktops that nobody uses, or lower the memory of their OSF.",
    );
  if (signs.zombies.length > 0)
    add(
      `Desktops that do not end: ${named(signs.zombies)}.`,
      "Processes that hang in the kernel end when their disk or network comes back.",
    );
  if (signs.givenUp.length > 0)
    problems.push({
      isOfDesktops: true,
      text: `Desktops that could not be started: ${named(signs.givenUp.map(({ name, text }) => `${name} (${firstSentence(text)})`))}.`,
      advice:
        "`qvd vm explain NAME` says what to do, as the desktop's page does. Start it again when the cause is gone.",
    });
  if (signs.strangers.length > 0)
    add(
      `Desktops run here that the database does not place here: ${named(signs.strangers.map(String))}.`,
      "Was the database restored, or promoted without its last moments? They are left alone. `qvd node end-stranger NODE DESKTOP` ends one that should not run; its home stays.",
    );
  if (signs.machines?.accelerator === "tcg")
    add(
      "Virtual machines are emulated on this box, and many times slower than they could be.",
      `This is because ${signs.machines.reason} It is tried again after the next boot.`,
    );
  if (signs.rules !== undefined) add(...describeRules(signs.rules));
  addStorageProblems(signs, add);
  addImageProblems(signs, add);
  return problems;
}

function describeRules({ times, atMs, by = "another program", fault }: RulesSign): [string, string] {
  if (fault !== undefined)
    return [
      `Desktops are not kept apart on this box: its packet filter rules were taken away, and can't be put back (${fault}).`,
      "It is tried again each second. Look whether `nft` is there and works: `nft list ruleset`.",
    ];
  const at = new Date(atMs).toISOString().slice(0, 19).replace("T", " ");
  const last = times > 1 ? `${times} times, the last one at ${at} UTC by ${by}` : `at ${at} UTC by ${by}`;
  return [
    `The packet filter rules that keep desktops apart were taken away on this box ${last}. They were put back at once.`,
    "Programs that run `nft flush ruleset` should change their own tables only; look at /etc/nftables.conf and at the box's firewall service.",
  ];
}

function addStorageProblems(signs: NodeSigns, add: (text: string, advice: string) => void): void {
  const { sharedFolder = "", sharedFreeMb } = signs;
  if (sharedFreeMb === null)
    add(
      `The shared storage at ${sharedFolder} does not answer.`,
      "Desktops that use it stand still until it does. Look at its server and at the network to it.",
    );
  else if (sharedFreeMb !== undefined && sharedFreeMb < LEAST_DISK_MB)
    add(
      `Only ${sharedFreeMb} MB are free on the shared storage at ${sharedFolder}.`,
      "Make room there: delete old images, and what was put aside (deleted-…, moved-…) once you have looked.",
    );
  if (signs.halted !== undefined && signs.halted.length > 0)
    add(
      `Disks that became read-only after an error: of ${named(signs.halted)}.`,
      "Look at the storage below (is it full, did it fall silent?), then stop and start these desktops.",
    );
  const full = (signs.homes ?? [])
    .map((home) => ({ ...home, percent: Math.round((home.usedMb * 100) / Math.max(1, home.sizeMb)) }))
    .filter(({ percent }) => percent >= NEARLY_FULL_PERCENT)
    .sort((one, other) => other.percent - one.percent);
  if (full.length > 0)
    add(
      `Homes near their limit: ${named(full.map(({ name, percent, sizeMb }) => `${name} (${percent} % of ${sizeMb} MB)`))}.`,
      "Raise the limit in their OSF (it holds from the next start on), or ask the people to make room.",
    );
}

function addImageProblems(signs: NodeSigns, add: (text: string, advice: string) => void): void {
  const isFull = ({ code }: NotUnpacked) => code === "storage-full";
  const full = signs.notUnpacked.filter(isFull);
  if (full.length > 0)
    add(
      `There is no room to unpack ${full.length === 1 ? "the image" : "the images"} ${named(full.map(({ name }) => name))} where ${signs.stateFolder} lies.`,
      "Delete images that nobody uses, or move the state folder (QVD_STATE) to a larger disk. It is tried again by itself.",
    );
  for (const { name, text } of signs.notUnpacked.filter((one) => !isFull(one)).slice(0, MOST_NAMED))
    add(
      `The image ${name} could not be unpacked: ${text}`,
      "Desktops of it will not start. Enrol the image again from a good file; until then it is tried again by itself.",
    );
  if (signs.strangeImages.length > 0)
    add(
      `Images lie here that the database does not know: ${named(signs.strangeImages.map(String))}.`,
      "Was the database restored from a backup? They are left alone; remove their files by hand if nobody needs them.",
    );
}

function firstSentence(text: string): string {
  return text.split(". ")[0]?.replace(/\.$/, "") ?? text;
}

function named(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return more > 0 ? `${names.slice(0, MOST_NAMED).join(", ")} and ${more} more` : names.join(", ");
}
