/** How a machine's disks are opened where another box may have them next: past the page cache of this one. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import type { Persistence } from "../../src/domain/image/persistence.ts";
import { listProcesses } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { createLog } from "../../src/lib/log.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createMachineLab, type MachineLab } from "../support/machine-lab.ts";

const O_DIRECT = 0o40000;
let scratch: string;
let image: string;
const labs: MachineLab[] = [];
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-hvks-");
  // A boot sector that does nothing for ever.
  const sector = new Uint8Array(1 << 20);
  sector.set([0xeb, 0xfe]);
  sector.set([0x55, 0xaa], 510);
  image = `${scratch}/stubborn.raw`;
  await writeFile(image, sector);
});
afterAll(async () => {
  for (const lab of labs) await lab.dispose();
  await runOk("unmounting", ["/usr/bin/umount", `${scratch}/memory`]);
  await rm(scratch, { recursive: true });
}, 180_000);

/** By the end of each disk's name, whether a machine writes it past the page cache; and what was logged. */
async function startOne(lab: MachineLab, persistence: Persistence): Promise<Record<string, boolean>> {
  const spec = await lab.prepareImage(image, { persistence });
  const { vmId } = spec;
  await lab.hypervisor.start({ ...spec, hasAgent: false }, new AbortController().signal);
  const [pid = 0] = await listProcesses(lab.tree, "machine", vmId);
  const found: Record<string, boolean> = {};
  for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
    const path = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
    const name = /\.(disk|qcow2)$/.exec(path)?.[1];
    if (name === undefined) continue;
    const flags = /^flags:\s*(\d+)$/m.exec(await readFile(`/proc/${pid}/fdinfo/${descriptor}`, "utf8"))?.[1];
    found[name] = (Number.parseInt(flags ?? "0", 8) & O_DIRECT) !== 0;
  }
  await lab.hypervisor.kill(vmId);
  const isDead = async () => (await lab.hypervisor.observe()).get(vmId)?.isAlive !== true;
  await waitFor(isDead, { timeoutMs: 30_000 });
  await lab.hypervisor.cleanUp(vmId);
  await lab.releaseAndCount(vmId);
  return found;
}

async function labOn(instance: string, cidr: string, sharedFolder: string) {
  const logged: string[] = [];
  const write = (line: string) => void logged.push(line);
  const log = createLog({ level: "warn", write, now: () => new Date(0) });
  await mkdir(sharedFolder, { recursive: true });
  const lab = await createMachineLab(instance, cidr, { sharedFolder, log });
  labs.push(lab);
  return { lab, logged };
}

test("a home and a kept system on shared storage stay in no memory of the box", async () => {
  const { lab, logged } = await labOn("hvks", "10.203.0.0/24", `${scratch}/shared`);
  expect(await startOne(lab, "everything")).toEqual({ disk: true, qcow2: true });
  expect(logged).toEqual([]);
}, 180_000);

test("a fresh system is the box's own, and goes through its memory", async () => {
  expect(await startOne(labs[0] as MachineLab, "home")).toEqual({ disk: true, qcow2: false });
}, 180_000);

test("storage that knows no direct writes is used all the same, and told of", async () => {
  const memory = `${scratch}/memory`;
  await mkdir(memory);
  await runOk("mounting", ["/usr/bin/mount", "-t", "ramfs", "ramfs", memory]);
  const { lab, logged } = await labOn("hvkt", "10.203.1.0/24", `${memory}/shared`);
  expect(await startOne(lab, "home")).toEqual({ disk: false, qcow2: false });
  expect(logged).toHaveLength(1);
  expect(JSON.parse(logged[0] ?? "")).toMatchObject({ event: "machine-disk-cached", vmId: 1 });
}, 180_000);
