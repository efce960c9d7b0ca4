/**
 * Whether this machine can run guests on its own processors. That /dev/kvm opens is no proof: inside some
 * virtual machines it does, QEMU says "running", and no guest ever executes its first instructions. So a real
 * kernel is booted, once a boot of the box, and what it writes to its console is the proof.
 */

import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import { z } from "zod";
import { run } from "../../lib/run.ts";
import type { Accelerator } from "./qemu-arguments.ts";

export type Acceleration = {
  readonly accelerator: Accelerator;
  /** Why machines are emulated, and what to do about it; empty when they are not. */
  readonly reason: string;
};

export type ProbeOptions = {
  /** Where the result is kept: a folder that a boot empties. */
  readonly runFolder: string;
  /** Where kernels lie, this machine's own. */
  readonly kernelFolder?: string;
  readonly device?: string;
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 10_000;

const keptSchema = z.object({
  bootId: z.string(),
  accelerator: z.enum(["kvm", "tcg"]),
  reason: z.string(),
});

/** Asks once a boot of the box; later calls, those of other processes too, read what was found. */
export async function probeAcceleration(options: ProbeOptions): Promise<Acceleration> {
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  const path = `${options.runFolder}/acceleration.json`;
  const kept = await readKept(path);
  if (kept?.bootId === bootId) return { accelerator: kept.accelerator, reason: kept.reason };
  const found = await probe(options);
  await writeFile(path, JSON.stringify({ bootId, ...found }));
  return found;
}

async function readKept(path: string): Promise<z.infer<typeof keptSchema> | undefined> {
  const text = await readFile(path, "utf8").catch(() => "{}");
  try {
    return keptSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // Half written by a process that was killed: asked again.
    return undefined;
  }
}

async function probe(options: ProbeOptions): Promise<Acceleration> {
  const { device = "/dev/kvm", kernelFolder = "/boot" } = options;
  if (arch() !== "x64") return emulated("only x86-64 machines are run");
  if (!(await isThere(device)))
    return emulated(
      `there is no ${device}. Enable the processor's virtualisation in the firmware, or nested virtualisation where this box is itself a virtual machine, and load the kernel's module kvm_intel or kvm_amd`,
    );
  const names = await readdir(kernelFolder).catch((): string[] => []);
  const kernel = names
    .filter((name) => name.startsWith("vmlinuz"))
    .toSorted()
    .at(-1);
  if (kernel === undefined)
    return emulated(
      `there is no kernel below ${kernelFolder} by which ${device} could be proved to work. Install one (linux-image-amd64); it is only tried, not used`,
    );
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const fault = await tryToBoot(`${kernelFolder}/${kernel}`, timeoutMs);
  if (fault === undefined) return { accelerator: "kvm", reason: "" };
  return emulated(
    `${device} is there, but a guest that was tried with it did not boot (${fault}), as happens inside another virtual machine. Look at its host's nested virtualisation`,
  );
}

function emulated(why: string): Acceleration {
  return { accelerator: "tcg", reason: `${why}.` };
}

/**
 * Undefined when it booted. The guest has no root file system: it panics and QEMU ends, long after it has said
 * what version it is.
 */
async function tryToBoot(kernel: string, timeoutMs: number): Promise<string | undefined> {
  const folder = await mkdtemp("/tmp/qvd-kvm-");
  try {
    const { stderr } = await run(
      [
        ...["/usr/bin/qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"],
        ...["-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "256", "-no-reboot"],
        ...["-kernel", kernel, "-append", "console=ttyS0 earlyprintk=serial,ttyS0 panic=-1"],
        ...["-serial", `file:${folder}/console`],
      ],
      { timeoutMs },
    );
    const console = await readFile(`${folder}/console`, "utf8").catch(() => "");
    if (console.includes("Linux version")) return undefined;
    const said = stderr.trim().split("\n").at(0)?.slice(0, 200) ?? "";
    return said === "" ? `nothing came within ${timeoutMs / 1000} s` : `QEMU said: ${said}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
