/**
 * Desktops of a lab that are virtual machines and beat. Nobody sees into them from outside, so they tell of each line over
 * the network once their disk has acknowledged it, and their homes are read after they were stopped.
 */

import { copyFile, rm } from "node:fs/promises";
import { sql } from "drizzle-orm";
import type { VmId } from "../../src/domain/ids.ts";
import { machineHome } from "../../src/domain/node/machine-disks.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { wishVmStopped } from "../../src/service/vm/wish-stopped.ts";
import type { Witness } from "../fault/check-beats.ts";
import { BEATS_FILE } from "./beating-desktop.ts";
import { packBeatingMachine } from "./beating-machine.ts";
import { BeatsHeard } from "./beats-heard.ts";
import { addLabDesktops, wakeLab } from "./lab-desktops.ts";
import type { ManyNodes } from "./many-nodes.ts";

/** On the lab's switch; where machines tell of their lines. */
export const BEATS_PORT = 29_555;

const HOME_MB = 24;
/** With our agent in it, and no compiler of hot code. */
const MEMORY_MB = 320;
const READY_MS = 120_000;
/** Emulated, beside whatever the lab does else. */
const STOP_MS = 180_000;

export class LabMachines {
  readonly vmIds: readonly VmId[];
  readonly #lab: ManyNodes;
  readonly #heard: BeatsHeard;

  /** They are wished running when it returns. */
  static async add(lab: ManyNodes, count: number): Promise<LabMachines> {
    const { network, executable } = lab.options;
    const host = `${network}.254`;
    const archive = `${lab.folder}/beating.qcow2`;
    await packBeatingMachine(archive, { agent: executable, report: `${host}/${BEATS_PORT}` });
    const heard = new BeatsHeard(host, BEATS_PORT);
    try {
      const vmIds = await addLabDesktops(lab.database, {
        ...{
          kind: "machine",
          count,
          archive,
          fileName: "beating.qcow2",
          memoryMb: MEMORY_MB,
          homeMb: HOME_MB,
        },
        ...{ networkRange: "10.79.0.0/16", sharedFolder: `${lab.folder}/shared`, readyMs: READY_MS },
      });
      return new LabMachines(lab, heard, vmIds);
    } catch (error) {
      heard.stop();
      throw error;
    }
  }

  private constructor(lab: ManyNodes, heard: BeatsHeard, vmIds: readonly VmId[]) {
    this.#lab = lab;
    this.#heard = heard;
    this.vmIds = vmIds;
  }

  lastTold(vmId: VmId): { readonly life: string; readonly number: number } | undefined {
    const at = this.vmIds.indexOf(vmId);
    return at < 0 ? undefined : this.#heard.last(`m${at + 1}`);
  }

  /** The last line that was told of each life. When it comes says nothing of when it was written: it may have waited on a line that was cut. */
  witnessesOf(vmId: VmId): readonly Witness[] {
    const told = this.#heard.list(`m${this.vmIds.indexOf(vmId) + 1}`);
    const last = new Map<string, number>();
    for (const { life, number } of told) last.set(life, Math.max(last.get(life) ?? 0, number));
    return [...last].map(([life, number]) => ({ life, number, atMs: undefined }));
  }

  /** Stops it, and reads the lines in a copy of its disk. Throws when its file system has a fault. */
  async readBeats(vmId: VmId): Promise<string> {
    await this.#stop(vmId);
    const [node] = this.#lab.nodes;
    if (node === undefined) throw new Error("a lab without nodes has no homes");
    const copy = `${this.#lab.folder}/machine-home`;
    await copyFile(machineHome(node.layout, vmId), copy);
    try {
      await runOk("replaying the journal", ["/usr/sbin/e2fsck", "-p", copy]);
      await runOk("looking through the file system", ["/usr/sbin/e2fsck", "-fn", copy]);
      return await runOk("reading its lines", ["/usr/sbin/debugfs", "-R", `cat /${BEATS_FILE}`, copy]);
    } finally {
      await rm(copy, { force: true });
    }
  }

  stop(): void {
    this.#heard.stop();
  }

  async #stop(vmId: VmId): Promise<void> {
    const { database } = this.#lab;
    await wishVmStopped({ db: database.orm, actor: { kind: "system", what: "lab" } }, { vmId });
    await wakeLab(database, "vm");
    const isStopped = async () => {
      const rows = await database.orm.execute(
        sql`select 1 from vm_reports where vm_id = ${vmId} and state = 'stopped'`,
      );
      return rows.length > 0 && this.#lab.findDesktop(vmId).length === 0;
    };
    if (!(await waitFor(isStopped, { timeoutMs: STOP_MS, everyMs: 200 })))
      throw new Error(`the machine ${vmId} did not stop`);
  }
}
