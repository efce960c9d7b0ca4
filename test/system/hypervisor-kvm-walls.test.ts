/** What a machine's QEMU may touch, and how machines fare in which nothing of ours runs. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import type { VmId } from "../../src/domain/ids.ts";
import type { MachineSpec } from "../../src/hypervisor/driver.ts";
import { machineFiles } from "../../src/hypervisor/kvm/machine-files.ts";
import { probeAcceleration } from "../../src/hypervisor/kvm/probe-acceleration.ts";
import { machineMemoryMb } from "../../src/hypervisor/kvm/qemu-arguments.ts";
import { visitQmp } from "../../src/hypervisor/kvm/qmp.ts";
import { listProcesses } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { createLxcHypervisor } from "../../src/hypervisor/lxc/lxc-hypervisor.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createMachineLab, type MachineLab } from "../support/machine-lab.ts";

let lab: MachineLab;
let folder: string;
/** A boot sector that does nothing for ever: a guest that knows neither us nor power buttons. */
let stubborn: string;

beforeAll(async () => {
  lab = await createMachineLab("hvkw", "10.228.0.0/24");
  folder = await mkdtemp("/var/tmp/qvd-hvkw-disks-");
  const sector = new Uint8Array(1 << 20);
  sector.set([0xeb, 0xfe]);
  sector.set([0x55, 0xaa], 510);
  stubborn = `${folder}/stubborn.raw`;
  await writeFile(stubborn, sector);
}, 180_000);
afterAll(async () => {
  await lab.dispose();
  await rm(folder, { recursive: true });
}, 180_000);

const start = (spec: MachineSpec) => lab.hypervisor.start(spec, new AbortController().signal);
const isAlive = async (vmId: VmId) => (await lab.hypervisor.observe()).get(vmId)?.isAlive === true;
const pidOf = async (vmId: VmId) => (await listProcesses(lab.tree, "machine", vmId))[0] ?? 0;
const statusOf = async (vmId: VmId) => readFile(`/proc/${await pidOf(vmId)}/status`, "utf8");

async function end(vmId: VmId): Promise<void> {
  await lab.hypervisor.kill(vmId);
  await waitFor(async () => !(await isAlive(vmId)), { timeoutMs: 30_000 });
  await lab.hypervisor.cleanUp(vmId);
  expect(await lab.releaseAndCount(vmId)).toEqual([]);
}

async function startStubborn(): Promise<MachineSpec> {
  const spec = await lab.prepareImage(stubborn);
  await start({ ...spec, hasAgent: false });
  return spec;
}

describe("a machine's QEMU", () => {
  test("is nobody on the host, and stays nobody", async () => {
    const { vmId, idRange } = await startStubborn();
    const status = await statusOf(vmId);
    expect(status).toMatch(new RegExp(`^Uid:(\t${idRange.first}){4}$`, "m"));
    expect(status).toMatch(new RegExp(`^Gid:(\t${idRange.first}){4}$`, "m"));
    expect(status).toMatch(/^Groups:\s*$/m);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect(status).toMatch(new RegExp(`^${set}:\t0{16}$`, "m"));
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    await end(vmId);
  });

  test("has no network but its cable", async () => {
    const { vmId } = await startStubborn();
    const pid = await pidOf(vmId);
    const interfaces = (await readFile(`/proc/${pid}/net/dev`, "utf8")).match(/^ *[^ :]+(?=:)/gm);
    expect(interfaces?.map((name) => name.trim())).toEqual(["lo"]);
    // Abstract sockets of the host's programs go with the network.
    expect(await readFile(`/proc/${pid}/net/unix`, "utf8")).not.toContain(" @");
    for (const space of ["net", "ipc", "uts"])
      expect(await readlink(`/proc/${pid}/ns/${space}`)).not.toBe(await readlink(`/proc/self/ns/${space}`));
    await end(vmId);
  });

  test("is held to its memory, and what it may have more than the machine", async () => {
    const { vmId, memoryMb } = await startStubborn();
    const groups = await readFile(`/proc/${await pidOf(vmId)}/cgroup`, "utf8");
    expect(groups).toContain(`/hvkw/q/${vmId}\n`);
    const limits = lab.tree.roots.flatMap((root) =>
      ["memory.max", "memory.limit_in_bytes"].map((file) => `${root}/hvkw/q/${vmId}/${file}`),
    );
    const texts = await Promise.all(limits.map((path) => readFile(path, "utf8").catch(() => "")));
    expect(texts.map(Number)).toContain(machineMemoryMb(memoryMb, "tcg") * 2 ** 20);
    await end(vmId);
  });

  test("opens nothing that a disk's header names", async () => {
    const secret = `${folder}/secret`;
    await writeFile(secret, new Uint8Array(1 << 20), { mode: 0o644 });
    const spec = await lab.prepareImage(stubborn, { persistence: "everything" });
    // As a QEMU that its guest had taken over could have left it.
    const overlay = ["-f", "qcow2", "-b", secret, "-F", "raw", spec.systemDisk];
    await runOk("making a disk", ["/usr/bin/qemu-img", "create", "-q", ...overlay]);
    await start({ ...spec, hasAgent: false });
    const pid = await pidOf(spec.vmId);
    const opened = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
    );
    expect(opened).toContain(spec.systemDisk);
    expect(opened).not.toContain(secret);
    await end(spec.vmId);
  });

  test("has a folder that nobody else enters, and a screen in it", async () => {
    const { vmId, idRange } = await startStubborn();
    const files = machineFiles(lab.layout, vmId);
    expect(await stat(files.folder)).toMatchObject({ uid: idRange.first, mode: 0o40700 });
    let greeting = "";
    const data = (_socket: unknown, chunk: Uint8Array) => {
      greeting += Buffer.from(chunk).toString();
    };
    const viewer = await Bun.connect({ unix: files.screen, socket: { data } });
    expect(await waitFor(() => greeting.startsWith("RFB 003"), { timeoutMs: 30_000 })).toBe(true);
    viewer.terminate();
    await end(vmId);
  });

  test("is no leftover of the containers' driver on the same box", async () => {
    const { vmId, port } = await startStubborn();
    const containers = await createLxcHypervisor({ instance: "hvkw", layout: lab.layout, resolvers: [] });
    expect((await containers.observe()).has(vmId)).toBe(false);
    await containers.cleanUp(vmId);
    expect(await readdir("/sys/class/net")).toContain(port.interfaceName);
    await end(vmId);
    expect(await readdir("/sys/class/net")).not.toContain(port.interfaceName);
  });

  test("is refused an image that stands on another file", async () => {
    const spec = await lab.prepareImage(stubborn);
    const image = `${folder}/overlay.qcow2`;
    await runOk("making a disk", [
      ...["/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", "-b", stubborn, "-F", "raw", image],
    ]);
    await expect(start({ ...spec, imageDisk: image })).rejects.toMatchObject({ code: "image-broken" });
    await expect(lab.prepareImage(image)).rejects.toMatchObject({ code: "image-broken" });
    await end(spec.vmId);
  });
});

/** A boot sector that writes the second sector for ever. */
const WRITER = [0xb8, 1, 3, 0xbb, 0, 0x7c, 0xb9, 2, 0, 0xba, 0x80, 0, 0xcd, 0x13, 0xeb, 0xf0];

describe("a machine whose disk is full", () => {
  test("stands still, and goes on by itself when there is room", async () => {
    const writer = `${folder}/writer.raw`;
    const sector = new Uint8Array(1 << 20);
    sector.set(WRITER);
    sector.set([0x55, 0xaa], 510);
    await writeFile(writer, sector);
    const small = await mkdtemp(`${folder}/small-`);
    await runOk("making a small disk", ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small]);
    const systemDisk = `${small}/system.qcow2`;
    await runOk("making a disk", ["/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", systemDisk, "1M"]);
    const spec = await lab.prepareImage(writer);
    const { vmId } = spec;
    const status = async () =>
      visitQmp(machineFiles(lab.layout, vmId).control, 5_000, (command) => command("query-status")).catch(
        () => undefined, // The one that tries again is there just now.
      );
    const becomes = async (wanted: string) =>
      waitFor(async () => JSON.stringify(await status())?.includes(`"${wanted}"`), { timeoutMs: 20_000 });
    await writeFile(`${small}/filler`, new Uint8Array(1 << 20)).catch(() => {}); // Until it is full.
    await start({ ...spec, hasAgent: false, systemDisk });
    expect(await becomes("io-error")).toBe(true);
    const unwatch = lab.hypervisor.watch(() => {});
    await runOk("making room", ["/usr/bin/mount", "-o", "remount,size=8m", small]);
    expect(await becomes("running")).toBe(true);
    const hasGrown = async () => (await stat(systemDisk)).size > 256 * 1024;
    expect(await waitFor(hasGrown, { timeoutMs: 30_000 })).toBe(true);
    unwatch();
    await end(vmId);
    await runOk("unmounting", ["/usr/bin/umount", small]);
  }, 180_000);
});

describe("a machine in which nothing of ours runs", () => {
  test("lives through the power button, and ends at TERM", async () => {
    const { vmId } = await startStubborn();
    await lab.hypervisor.halt(vmId);
    const { control } = machineFiles(lab.layout, vmId);
    const status = await visitQmp(control, 5_000, (command) => command("query-status"));
    expect(status).toMatchObject({ status: "running" });
    await lab.hypervisor.terminate(vmId);
    expect(await waitFor(async () => !(await isAlive(vmId)), { timeoutMs: 30_000 })).toBe(true);
    await end(vmId);
  });

  test("is not in the way of a visitor that comes while another is there", async () => {
    const { vmId } = await startStubborn();
    const { control } = machineFiles(lab.layout, vmId);
    await visitQmp(control, 5_000, async (command) => {
      await command("query-status");
      await expect(visitQmp(control, 200, (second) => second("query-status"))).rejects.toMatchObject({
        code: "unavailable",
      });
    });
    await end(vmId);
  });
});

describe("hardware's help", () => {
  test("is not expected where there is no device, and the reason says so", async () => {
    const device = `${folder}/kvm`;
    const found = await probeAcceleration({ runFolder: folder, device });
    expect(found).toMatchObject({ accelerator: "tcg", reason: expect.stringContaining(device) });
  });

  test("is looked for once a boot", async () => {
    const again = await probeAcceleration({ runFolder: folder, device: "/dev/null" });
    expect(again.reason).toContain(`${folder}/kvm`);
  });

  test("is not believed without a kernel to try", async () => {
    const fresh = await mkdtemp(`${folder}/run-`);
    const found = await probeAcceleration({ runFolder: fresh, device: "/dev/null", kernelFolder: fresh });
    expect(found).toMatchObject({ accelerator: "tcg", reason: expect.stringContaining("linux-image") });
  });
});
