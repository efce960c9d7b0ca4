/**
 * What takes the desktops of a box out of the world, and lets them back: their processes by control groups,
 * which the kernel stops whatever they do, then what they have written to. Used by the keeper, and by the node
 * process when the keeper is silent. Repeating any of it does no harm.
 *
 * The groups are frozen at their parents, so that a start that was under way when the right was lost freezes
 * too, as soon as its first process enters.
 */

import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from "node:fs";
import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";

/** Containers, starts under way, virtual machines. */
const FROZEN = ["c", "s", "q"];
/** LXC's monitors too: they end with their containers, and by themselves write nothing. */
const KILLED = [...FROZEN, "m"];

export type FenceDisks = {
  /**
   * Each bounded by a deadline; what can't be done is told to the log. False when one may freeze later. `new` are
   * those that were mounted since.
   */
  freeze(which: "all" | "new"): Promise<boolean>;
  /** False when one may freeze after it: a freezing was still under way. */
  thaw(): Promise<boolean>;
  /** Nothing of them is written any more; whoever waits for a frozen one goes on, with an error. */
  shutDown(): Promise<void>;
  /** Ends and unmounts all of the desktops' file systems without another write. Throws what is left. */
  drop(): Promise<void>;
};

export type FenceOptions = {
  /** Of the version 2 hierarchy. */
  readonly cgroupRoot: string;
  readonly instance: string;
  readonly disks: FenceDisks;
  readonly log: Log;
};

export class Fence {
  readonly #options: FenceOptions;
  /** Read into ten times a second; readFileSync would make a buffer of 256 KB each time. */
  readonly #buffer = Buffer.alloc(256);

  constructor(options: FenceOptions) {
    this.#options = options;
    for (const part of KILLED) mkdirSync(this.#folder(part), { recursive: true });
  }

  /** Processes at once, before anything that may wait. */
  freezeProcesses(): void {
    for (const part of FROZEN) this.#write(part, "cgroup.freeze", "1");
  }

  freezeDisks(which: "all" | "new" = "all"): Promise<boolean> {
    return this.#options.disks.freeze(which);
  }

  /** False when it is to be done again. */
  thawDisks(): Promise<boolean> {
    return this.#options.disks.thaw();
  }

  shutDownDisks(): Promise<void> {
    return this.#options.disks.shutDown();
  }

  /** Disks first: a process that writes to a frozen one would only hang. Nothing runs unless `isStill`. */
  async thaw(isStill: () => boolean = () => true): Promise<void> {
    await this.#options.disks.thaw();
    if (!isStill()) return;
    for (const part of FROZEN) this.#write(part, "cgroup.freeze", "0");
  }

  get isFrozen(): boolean {
    return FROZEN.some((part) => this.#read(part, "cgroup.freeze").trim() === "1");
  }

  get isEmpty(): boolean {
    return KILLED.every((part) => !/^populated 1$/m.test(this.#read(part, "cgroup.events")));
  }

  /** KILL to every process of every desktop; true when none is left. */
  async kill(timeoutMs: number): Promise<boolean> {
    const killed = await waitFor(
      () => {
        for (const part of KILLED) this.#write(part, "cgroup.kill", "1");
        return this.isEmpty;
      },
      { timeoutMs, everyMs: 50 },
    );
    return killed === true;
  }

  dropDisks(): Promise<void> {
    return this.#options.disks.drop();
  }

  #write(part: string, file: string, text: string): void {
    try {
      writeFileSync(`${this.#folder(part)}/${file}`, text);
    } catch (error) {
      this.#options.log.error("fence-not-set", { part, file, reason: describeError(error) });
    }
  }

  #read(part: string, file: string): string {
    let opened: number | undefined;
    try {
      opened = openSync(`${this.#folder(part)}/${file}`, "r");
      return this.#buffer.toString("latin1", 0, readSync(opened, this.#buffer));
    } catch {
      // No group, no desktops.
      return "";
    } finally {
      if (opened !== undefined) closeSync(opened);
    }
  }

  #folder(part: string): string {
    return `${this.#options.cgroupRoot}/${this.#options.instance}/${part}`;
  }
}
