/**
 * A desktop's home on a loop device, mounted on a file system that plays the box's own disk: whatever freezes the
 * wrong one freezes that, and never the machine's. Everything lies below one folder and is removed by `dispose`.
 */

import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { type Layout, layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { listWritableMounts, type WritableMount } from "../../src/storage/list-writable-mounts.ts";
import { parseMountinfo } from "../../src/storage/mountinfo.ts";

export const SOON = { timeoutMs: 20_000 };

const FSFREEZE = "/usr/sbin/fsfreeze";

export class FrozenLab {
  readonly vmId = asId<VmId>(41);
  readonly layout: Layout;
  readonly #scratch: string;

  static async create(): Promise<FrozenLab> {
    const lab = new FrozenLab(await mkdtemp("/var/tmp/qvd-freeze-"));
    await makeDisk(`${lab.#scratch}/parent.img`, 32);
    await makeDisk(lab.#image, 16);
    await mkdir(lab.parent);
    await runOk("mounting the parent", [
      "/usr/bin/mount",
      "-o",
      "loop",
      `${lab.#scratch}/parent.img`,
      lab.parent,
    ]);
    await mkdir(lab.home, { recursive: true });
    return lab;
  }

  private constructor(scratch: string) {
    this.#scratch = scratch;
    this.layout = layoutOf(`${this.parent}/state`, `${scratch}/run`, `${scratch}/shared`);
  }

  /** Where the file system lies that plays the box's own disk. */
  get parent(): string {
    return `${this.#scratch}/parent`;
  }

  get home(): string {
    return vmLayout(this.layout, this.vmId).homeDisk;
  }

  get #image(): string {
    return `${this.#scratch}/home.img`;
  }

  async mountHome(): Promise<void> {
    await mkdir(this.home, { recursive: true });
    await runOk("mounting the home", ["/usr/bin/mount", "-o", "loop", this.#image, this.home]);
  }

  /** Whatever state it is in. */
  async unmountHome(): Promise<void> {
    while (await this.isHomeMounted()) {
      await run([FSFREEZE, "--unfreeze", this.home], SOON);
      await runOk("unmounting the home", ["/usr/bin/umount", this.home], SOON);
    }
    // Mounted again while somebody's copy of the mount lives, it would be the file system that a test has shut down.
    await this.isHomeDetached();
  }

  async findDisk(): Promise<WritableMount> {
    const [disk] = await listWritableMounts(this.layout);
    if (disk === undefined) throw new Error("the home isn't mounted");
    return disk;
  }

  async isHomeMounted(): Promise<boolean> {
    return (await readFile("/proc/self/mountinfo", "utf8")).includes(` ${this.home} `);
  }

  /** As a hasty process would: what is frozen stays so. */
  async freezeHome(): Promise<void> {
    await runOk("freezing the home", [FSFREEZE, "--freeze", this.home], SOON);
  }

  async unmountHomeAsItIs(): Promise<void> {
    await runOk("unmounting the home", ["/usr/bin/umount", this.home], SOON);
  }

  async isHomeAttached(): Promise<boolean> {
    const { stdout } = await run(["/usr/sbin/losetup", "--associated", this.#image]);
    return stdout.trim() !== "";
  }

  isHomeDetached(): Promise<true | undefined> {
    return waitFor(async () => !(await this.isHomeAttached()) || undefined, { timeoutMs: 20_000 });
  }

  async readParentDevice(): Promise<string> {
    const mounts = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
    return mounts.find(({ mountPoint }) => mountPoint === this.parent)?.device ?? "";
  }

  /** Asking whether something is frozen is thawing it. */
  async isParentFrozen(): Promise<boolean> {
    const { exitCode } = await run([FSFREEZE, "--unfreeze", this.parent], SOON);
    return exitCode === 0;
  }

  /** Whether it waits in the kernel, as whoever writes to what is frozen does: for longer than a read of the disk takes. */
  async hangs(pid: number): Promise<boolean> {
    let looks = 0;
    const isHanging = async () => {
      const isWaiting = /^State:\tD/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
      looks = isWaiting ? looks + 1 : 0;
      return looks === 6;
    };
    return (await waitFor(isHanging, { timeoutMs: 20_000, everyMs: 50 })) === true;
  }

  async writeToParent(): Promise<void> {
    await runOk("writing to the parent", ["/usr/bin/touch", `${this.parent}/written`], { timeoutMs: 20_000 });
  }

  async dispose(): Promise<void> {
    await this.unmountHome();
    await run([FSFREEZE, "--unfreeze", this.parent], SOON);
    await run(["/usr/bin/umount", this.parent], SOON);
    await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", this.#scratch]);
  }
}

async function makeDisk(path: string, sizeMb: number): Promise<void> {
  await runOk("making a file", ["/usr/bin/truncate", "-s", `${sizeMb}M`, path]);
  await runOk("making a file system", ["/usr/sbin/mkfs.ext4", "-q", path]);
}
