/** Starts the QEMU of one desktop and waits until it answers on its control socket. */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { DISK_HEADER_BYTES, parseDiskHeader } from "../../domain/image/disk-header.ts";
import { isShared, vmLayout } from "../../domain/node/layout.ts";
import { AppError, describeError } from "../../lib/errors.ts";
import { CLEAN_ENV } from "../../lib/run.ts";
import { waitFor } from "../../lib/wait.ts";
import type { MachineSpec } from "../driver.ts";
import { describeRefusal } from "./describe-refusal.ts";
import type { KvmContext } from "./kvm-hypervisor.ts";
import { machineFiles, makeFiles } from "./machine-files.ts";
import { makeGroups } from "./machine-group.ts";
import { openDisk } from "./open-disk.ts";
import { openTap } from "./open-tap.ts";
import { type Descriptors, type DiskFormat, machineMemoryMb, qemuCommand } from "./qemu-arguments.ts";
import { visitQmp } from "./qmp.ts";

const ANSWER_TIMEOUT_MS = 15_000;
const VISIT_TIMEOUT_MS = 5_000;
const KEPT_WORDS_BYTES = 8_192;

/** Whoever enters the groups this way is in them before it does anything else. */
const ENTER_GROUPS =
  'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"';

/** The first descriptors are input, output and errors. */
const FIRST_DESCRIPTOR = 3;

export async function startMachine(
  context: KvmContext,
  spec: MachineSpec,
  signal: AbortSignal,
): Promise<void> {
  const { layout, tree } = context;
  const { accelerator } = await context.acceleration();
  signal.throwIfAborted();
  const opened: number[] = [];
  try {
    const disks = openDisks(context, spec, opened);
    opened.push(await openTap(spec.port));
    const files = machineFiles(layout, spec.vmId);
    await makeFiles(files, spec.idRange.first);
    const memoryMb = machineMemoryMb(spec.memoryMb, accelerator);
    const groups = await makeGroups(tree, spec.vmId, { memoryMb, cpus: spec.cpus });
    const command = qemuCommand(spec, {
      accelerator,
      kvmGid: context.kvmGid,
      files,
      channelSocket: vmLayout(layout, spec.vmId).channelSocket,
      descriptors: { ...disks, tap: FIRST_DESCRIPTOR + opened.length - 1 },
    });
    signal.throwIfAborted();
    await spawn([...["/bin/sh", "-c", ENTER_GROUPS, "sh"], ...groups, "--", ...command], {
      opened,
      spec,
      control: files.control,
      logFile: files.log,
    });
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
  signal.throwIfAborted();
}

/** Opens the disks into `opened`, in the order in which the QEMU inherits them. */
function openDisks(
  { layout, log }: KvmContext,
  spec: MachineSpec,
  opened: number[],
): Omit<Descriptors, "tap"> {
  const { vmId, imageDisk, homeDisk } = spec;
  const direct: number[] = [];
  const add = (descriptor: number) => FIRST_DESCRIPTOR + opened.push(descriptor) - 1;
  const openOwn = (path: string): number => {
    const mayMove = isShared(layout) && path.startsWith(`${layout.sharedFolder}/`);
    const { descriptor, isDirect } = asTold(spec, () => openDisk(path, { isShared: mayMove }));
    const number = add(descriptor);
    if (isDirect) direct.push(number);
    else if (mayMove) log?.warn("machine-disk-cached", { vmId, path, reason: NOT_DIRECT });
    return number;
  };
  const system = openOwn(spec.systemDisk);
  let image: Descriptors["image"];
  if (imageDisk !== undefined) {
    const descriptor = add(asTold(spec, () => openSync(imageDisk, "r")));
    image = { descriptor, format: readFormat(spec, imageDisk, opened.at(-1) ?? -1) };
  }
  return { system, image, home: homeDisk === undefined ? undefined : openOwn(homeDisk), direct };
}

const NOT_DIRECT =
  "the file system of the shared storage knows no direct writes (O_DIRECT): a box that is paused or cut from power can spoil or lose what was written";

function asTold<T>({ vmId }: MachineSpec, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw new AppError(
      "driver-failed",
      `Starting desktop ${vmId}: its disk can't be opened: ${describeError(cause)}`,
      { cause },
    );
  }
}

/** It passed its checks when it was enrolled; the file may be another by now. */
function readFormat({ vmId }: MachineSpec, path: string, descriptor: number): DiskFormat {
  const head = new Uint8Array(DISK_HEADER_BYTES);
  const read = readSync(descriptor, head, 0, head.length, 0);
  const parsed = parseDiskHeader(head.subarray(0, read), fstatSync(descriptor).size);
  if (parsed.isGood) return parsed.format;
  throw new AppError(
    "image-broken",
    `Starting desktop ${vmId}: the image ${path} can't be used: ${parsed.reason}`,
  );
}

type Spawning = {
  readonly opened: readonly number[];
  readonly spec: MachineSpec;
  readonly control: string;
  readonly logFile: string;
};

async function spawn(command: readonly string[], to: Spawning): Promise<void> {
  const child = Bun.spawn([...command], {
    cwd: "/",
    env: CLEAN_ENV,
    // A session of its own: what is sent to ours is not meant for it.
    detached: true,
    stdio: ["ignore", "ignore", "pipe", ...to.opened],
  });
  child.unref();
  const words = keepWords(child.stderr);
  const isUp = () => visitQmp(to.control, VISIT_TIMEOUT_MS, (command) => command("query-status"));
  const outcome = await waitFor(
    async () => {
      if (child.exitCode !== null || child.signalCode !== null) return "ended" as const;
      return isUp().then(
        () => "up" as const,
        () => undefined,
      );
    },
    { timeoutMs: ANSWER_TIMEOUT_MS, everyMs: 20 },
  );
  if (outcome === "up") return;
  if (outcome === undefined) child.kill("SIGKILL");
  await child.exited;
  throw await explain(to, outcome === undefined ? "it did not answer in time" : words.text());
}

/** Read for as long as we both live, so that a talkative QEMU never waits for us; only the first words are kept. */
function keepWords(stream: ReadableStream<Uint8Array>): { text(): string } {
  let kept = "";
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream)
      if (kept.length < KEPT_WORDS_BYTES) kept += decoder.decode(chunk, { stream: true });
  };
  read().catch(() => {
    // Its end, whatever way it comes, is no news of ours.
  });
  return { text: () => kept.slice(0, KEPT_WORDS_BYTES).trim() };
}

async function explain({ spec, logFile }: Spawning, said: string): Promise<AppError> {
  await mkdir(logFile.slice(0, logFile.lastIndexOf("/")), { recursive: true });
  await writeFile(logFile, `${said}\n`, { mode: 0o600 });
  return new AppError("driver-failed", `Starting desktop ${spec.vmId}: ${describeRefusal(said, logFile)}`);
}
