/**
 * Machines of their own kernel, for what two boxes over one NFS server do to each other: a namespace shares the
 * page cache with its neighbour and can't show it. Debian's kernel, this machine's programs in an initial
 * ramdisk, and one program of ours that is spoken to over a virtio-serial port. Emulated: a minute of patience.
 */

import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { guestKernel } from "./machine-guest.ts";

export type GuestRequest =
  | { readonly do: "shell"; readonly script: string; readonly timeoutMs: number }
  | { readonly do: "make"; readonly path: string; readonly sizeMb: number }
  | { readonly do: "mount"; readonly path: string; readonly mountPoint: string }
  | { readonly do: "write"; readonly path: string; readonly owner: string }
  /** Ends the writing; answers when its files are closed. */
  | { readonly do: "rest" };

export type GuestEvent =
  | { readonly event: "up" }
  | {
      readonly event: "acknowledged";
      readonly owner: string;
      readonly count: number;
      readonly tookMs: number;
    }
  | { readonly event: "refused"; readonly owner: string; readonly cause: string };

export type NfsGuest = {
  readonly name: string;
  /** Everything it said by itself, with when it came here. */
  readonly events: readonly (GuestEvent & { readonly atMs: number })[];
  /** Rejects with what went wrong inside; `code` is the AppError's. */
  ask(request: GuestRequest, timeoutMs?: number): Promise<unknown>;
  shell(script: string, timeoutMs?: number): Promise<string>;
  /** Halts the machine's processors: it sleeps without knowing. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** As a power cut. */
  kill(): Promise<void>;
};

export type GuestOptions = {
  readonly scratch: string;
  readonly name: string;
  readonly initrd: string;
  readonly memoryMb?: number;
  /** A second disk of the machine's own, made empty. */
  readonly diskMb?: number;
};

const MODULES = ["virtio_pci", "virtio_console", "virtio_net", "virtio_blk", "nfsv4", "loop"];
const PROGRAMS = [
  ...["/usr/bin/mount", "/usr/bin/umount", "/usr/sbin/mkfs.ext4", "/usr/sbin/e2fsck", "/usr/sbin/resize2fs"],
  ...[
    "/usr/bin/truncate",
    "/usr/bin/fallocate",
    "/usr/bin/df",
    "/usr/bin/dd",
    "/usr/bin/sync",
    "/usr/sbin/fsfreeze",
  ],
];
const BOOT_TIMEOUT_MS = 180_000;
const ASK_TIMEOUT_MS = 300_000;

/** Makes the ramdisk that all guests of a test boot. `program` becomes their only one. */
export async function makeInitrd(scratch: string, program: string): Promise<string> {
  const tree = `${scratch}/initramfs`;
  for (const name of ["bin", "usr/bin", "usr/sbin", "modules", "tmp", "share", "home", "local", "state"])
    await mkdir(`${tree}/${name}`, { recursive: true });
  await runOk(
    "building the guest's program",
    [process.execPath, "build", "--compile", program, "--outfile", `${tree}/agent`],
    {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
    },
  );
  await cp("/bin/busybox", `${tree}/bin/busybox`);
  for (const path of [...PROGRAMS, `${tree}/agent`]) await addProgram(tree, path);
  const order = await addModules(tree);
  await writeFile(`${tree}/init`, initScript(order), { mode: 0o755 });
  const path = `${scratch}/initrd.img`;
  await runOk("packing the guest's files", [
    ...["/bin/sh", "-c", 'cd "$1" && find . | cpio --quiet -o -H newc > "$2"', "sh", tree, path],
  ]);
  await rm(tree, { recursive: true });
  return path;
}

/** Resolves when its program answers. */
export async function startGuest(options: GuestOptions): Promise<NfsGuest> {
  const { scratch, name, initrd, memoryMb = 1_024, diskMb } = options;
  const path = (what: string) => `${scratch}/${name}.${what}`;
  const disk: string[] = [];
  if (diskMb !== undefined) {
    await runOk("making a guest's disk", ["/usr/bin/truncate", "-s", `${diskMb}M`, path("disk")]);
    disk.push("-drive", `file=${path("disk")},format=raw,if=virtio,cache=none`);
  }
  const child = Bun.spawn(
    [
      ...["/usr/bin/qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-M", "q35"],
      ...["-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", `${memoryMb}`],
      ...["-kernel", await guestKernel(), "-initrd", initrd],
      ...["-append", `console=ttyS0 quiet panic=1 mitigations=off nokaslr random.trust_cpu=on box=${name}`],
      ...["-serial", `file:${path("console")}`, "-qmp", `unix:${path("qmp")},server=on,wait=off`],
      ...["-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,romfile="],
      ...["-device", "virtio-serial-pci", "-chardev", `socket,id=a,path=${path("port")},server=on,wait=off`],
      ...["-device", "virtserialport,chardev=a,name=org.qvd.test", ...disk],
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "inherit" },
  );
  const events: (GuestEvent & { atMs: number })[] = [];
  const answers = new Map<number, (line: Answer) => void>();
  const port = await connectTo(path("port"), (line) => {
    const message: Answer | GuestEvent = JSON.parse(line);
    if ("id" in message) answers.get(message.id)?.(message);
    else events.push({ ...message, atMs: performance.now() });
  });
  const monitor = await connectTo(path("qmp"), () => {});
  monitor.write('{"execute":"qmp_capabilities"}\n');
  const isUp = await waitFor(() => events.some(({ event }) => event === "up"), {
    timeoutMs: BOOT_TIMEOUT_MS,
    everyMs: 100,
  });
  if (!isUp) throw new Error(`the guest ${name} doesn't come up; look at ${path("console")}`);
  let last = 0;
  const ask = (request: GuestRequest, timeoutMs = ASK_TIMEOUT_MS) =>
    new Promise<unknown>((resolve, reject) => {
      const id = ++last;
      const late = () => reject(new Error(`${name} didn't answer to ${JSON.stringify(request)}`));
      const timer = setTimeout(late, timeoutMs);
      answers.set(id, ({ result, fault, code }) => {
        clearTimeout(timer);
        answers.delete(id);
        if (fault === undefined) resolve(result);
        else reject(Object.assign(new Error(fault), { code }));
      });
      port.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  return {
    name,
    events,
    ask,
    async shell(script, timeoutMs = ASK_TIMEOUT_MS) {
      const done = (await ask({ do: "shell", script, timeoutMs }, timeoutMs + 5_000)) as ShellResult;
      if (done.exitCode !== 0) throw new Error(`${name}: ${script}: ${done.stderr}${done.stdout}`);
      return done.stdout;
    },
    pause: async () => void monitor.write('{"execute":"stop"}\n'),
    resume: async () => void monitor.write('{"execute":"cont"}\n'),
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

type Answer = {
  readonly id: number;
  readonly result?: unknown;
  readonly fault?: string;
  readonly code?: string;
};

type ShellResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

async function connectTo(path: string, onLine: (line: string) => void): Promise<Socket> {
  const open = () =>
    new Promise<Socket | undefined>((resolve) => {
      const socket = createConnection(path, () => resolve(socket)).on("error", () => resolve(undefined));
    });
  const socket = await waitFor(open, { timeoutMs: 20_000, everyMs: 100 });
  if (!socket) throw new Error(`nobody listens at ${path}`);
  let pending = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (pending + text).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line);
  });
  return socket;
}

/** With the libraries it is linked to. */
async function addProgram(tree: string, path: string): Promise<void> {
  if (!path.startsWith(tree)) await cp(path, tree + path, { dereference: true });
  const linked = await runOk(`reading the libraries of ${path}`, ["/usr/bin/ldd", path]);
  for (const [, library = ""] of linked.matchAll(/(\/lib\S+)/g)) {
    await mkdir(dirname(tree + library), { recursive: true });
    await cp(library, tree + library, { dereference: true });
  }
}

async function addModules(tree: string): Promise<readonly string[]> {
  const kernel = dirname(dirname(await guestKernel()));
  const [version = ""] = await readdir(`${kernel}/lib/modules`);
  const order = new Set<string>();
  for (const name of MODULES) {
    const words = ["/usr/sbin/modprobe", "-d", kernel, "-S", version, "--show-depends", name];
    const listed = await runOk(`looking for the module ${name}`, words);
    for (const match of listed.matchAll(/insmod (\S+)/g)) order.add(match[1] ?? "");
  }
  for (const module of order) {
    await cp(module, `${tree}/modules/${basename(module)}`);
    await run(["/usr/bin/strip", "--strip-debug", `${tree}/modules/${basename(module)}`]);
  }
  return [...order].map((module) => basename(module));
}

function initScript(order: readonly string[]): string {
  return `#!/bin/busybox sh
export PATH=/usr/bin:/usr/sbin:/bin
/bin/busybox mkdir -p /proc /sys /dev /run /etc
/bin/busybox --install -s /bin
/bin/busybox mount -t proc proc /proc; /bin/busybox mount -t sysfs sysfs /sys; /bin/busybox mount -t devtmpfs dev /dev
for module in ${order.join(" ")}; do insmod /modules/$module; done
box=$(sed 's/.*box=\\([a-z0-9]*\\).*/\\1/' /proc/cmdline)
hostname $box
ln -s /proc/mounts /etc/mtab
ip link set lo up; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2
ulimit -c 0
while :; do /agent $box >/dev/ttyS0 2>&1; sleep 1; done
`;
}
