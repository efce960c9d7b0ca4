/**
 * A stock Debian 12 in QEMU, with systemd and control groups of version 2 alone, as a user's box has: for tests of what
 * only shows there. Made once from Debian's packages and kept in the images' cache; each guest writes to an overlay of
 * its own. Software emulation: a boot takes half a minute.
 */

import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { visitQmp } from "../../src/hypervisor/kvm/qmp.ts";
import { type RunResult, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { buildDebianRoot, listSources } from "./debian-root.ts";

export type GuestOptions = {
  /** Folders and files of this machine that the guest finds below /srv/given. */
  readonly given: Readonly<Record<string, string>>;
  /** TCP ports of the guest that this machine reaches on loopback, by their port here. */
  readonly ports: Readonly<Record<number, number>>;
  readonly memoryMb: number;
  /** Debian packages that it has from the beginning. */
  readonly packages?: readonly string[];
  /** Taps of this machine that further network cards of the guest are on. */
  readonly cables?: readonly Cable[];
  readonly hostName?: string;
  /** Where this machine reaches the guest's shell; one of its own for each guest of a process. */
  readonly sshPort?: number;
};

export type Cable = { readonly tap: string; readonly hardwareAddress: string };

export interface DebianGuest {
  /** Runs a shell script as root of the guest. */
  run(script: string, timeoutMs?: number): Promise<RunResult>;
  /** Like `run`; throws with what was said when it fails. */
  must(script: string, timeoutMs?: number): Promise<string>;
  /** Powers the guest off cleanly and boots it again. */
  reboot(): Promise<void>;
  /** Halts its processors; it doesn't know, and its clocks stand still. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it at once; `powerOn` boots it again with what had reached its disk. */
  cutPower(): Promise<void>;
  powerOn(): Promise<void>;
  /** What the guest's console said. */
  console(): Promise<string>;
  dispose(): Promise<void>;
}

type Parts = {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly key: string;
};

const PACKAGES = [
  ...["linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev", "dbus", "kmod", "apparmor"],
  ...["ca-certificates", "openssh-server", "iproute2", "procps", "logrotate", "cron"],
];
/** Not more than there are: one that is emulated spins while it waits for another that isn't given its turn. */
const PROCESSORS = Math.min(4, Math.max(2, availableParallelism()));
/** A machine that is shared with others emulates at a tenth of its speed. */
const BOOT_MS = 900_000;
const POWER_OFF_MS = 600_000;
const ANSWER_MS = 300_000;
const MONITOR_MS = 30_000;

export async function startDebianGuest(options: GuestOptions): Promise<DebianGuest> {
  const parts = await buildParts(options.packages ?? []);
  const folder = await mkdtemp("/var/tmp/qvd-guest-");
  await runOk("making the guest's disk", [
    ...["/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", parts.disk],
    ...[`${folder}/disk.qcow2`, "24G"],
  ]);
  await packGiven(options.given, folder);
  const { sshPort = 30_000 + (process.pid % 2_000) } = options;
  const powerUp = () => boot(parts, folder, { ...options, ports: { ...options.ports, [sshPort]: 22 } });
  let machine = powerUp();
  const runIn = (script: string, timeoutMs = ANSWER_MS) =>
    run(
      [
        ...["/usr/bin/ssh", "-i", parts.key, "-p", `${sshPort}`, "-o", "StrictHostKeyChecking=no"],
        ...["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=120"],
        ...["root@127.0.0.1", "bash -s"],
      ],
      { stdin: script, timeoutMs },
    );
  const awaitUp = async () => {
    const isUp = async () => (await runIn("systemctl is-system-running --wait")).stdout !== "";
    const hasEnded = () => machine.exitCode !== null || machine.signalCode !== null;
    const isOver = async () => hasEnded() || (await isUp());
    const came = await waitFor(isOver, { timeoutMs: BOOT_MS, everyMs: 1_000 });
    if (came !== true || hasEnded()) throw new Error(await explain(hasEnded()));
    await runIn("mountpoint -q /srv/given || { mkdir -p /srv/given; mount /dev/vdb /srv/given; }");
  };
  const explain = async (hasEnded: boolean) => {
    const file = Bun.file(`${folder}/${hasEnded ? "qemu" : "console"}.log`);
    const said = (await file.exists()) ? (await file.text()).trim().split("\n").slice(-20).join("\n") : "";
    return `the guest ${hasEnded ? "ended" : "did not boot"}: ${said}`;
  };
  const dispose = async () => {
    machine.kill("SIGKILL");
    await machine.exited;
    await rm(folder, { recursive: true });
  };
  await awaitUp().catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  return {
    run: runIn,
    async must(script, timeoutMs) {
      const result = await runIn(script, timeoutMs);
      if (result.exitCode === 0) return result.stdout;
      throw new Error(
        `in the guest, ${script}\nended with ${result.exitCode}: ${result.stdout}${result.stderr}`,
      );
    },
    async reboot() {
      await runIn("systemctl poweroff");
      const hasEnded = await Promise.race([machine.exited, Bun.sleep(POWER_OFF_MS)]);
      if (hasEnded === undefined) throw new Error("the guest did not power off within ten minutes");
      machine = powerUp();
      await awaitUp();
    },
    pause: async () => void (await visitQmp(`${folder}/qmp`, MONITOR_MS, (command) => command("stop"))),
    resume: async () => void (await visitQmp(`${folder}/qmp`, MONITOR_MS, (command) => command("cont"))),
    async cutPower() {
      machine.kill("SIGKILL");
      await machine.exited;
    },
    async powerOn() {
      machine = powerUp();
      await awaitUp();
    },
    console: () => Bun.file(`${folder}/console.log`).text(),
    dispose,
  };
}

function boot(parts: Parts, folder: string, options: GuestOptions): Bun.Subprocess {
  const { ports, memoryMb, cables = [], hostName } = options;
  const forwards = Object.entries(ports).map(([here, there]) => `hostfwd=tcp:127.0.0.1:${here}-:${there}`);
  const named = hostName === undefined ? "" : ` systemd.hostname=${hostName}`;
  // A card that nobody hands an address to would keep it from being up.
  const patience = cables.length === 0 ? "" : " systemd.mask=systemd-networkd-wait-online.service";
  return Bun.spawn(
    [
      ...[
        "/usr/bin/qemu-system-x86_64",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "q35",
      ],
      ...[
        "-accel",
        "tcg,thread=multi,tb-size=512",
        "-cpu",
        "max",
        "-smp",
        `${PROCESSORS}`,
        "-m",
        `${memoryMb}`,
        "-no-reboot",
      ],
      ...["-kernel", parts.kernel, "-initrd", parts.initrd],
      ...["-append", `root=/dev/vda rw console=ttyS0 quiet mitigations=off${named}${patience}`],
      ...["-serial", `file:${folder}/console.log`],
      ...["-drive", `file=${folder}/disk.qcow2,if=virtio,cache=unsafe`],
      ...["-drive", `file=${folder}/given.img,if=virtio,format=raw,readonly=on`],
      ...["-netdev", ["user", "id=n0", ...forwards].join(","), "-device", "virtio-net-pci,netdev=n0"],
      ...["-device", "virtio-rng-pci", "-qmp", `unix:${folder}/qmp,server=on,wait=off`],
      ...cables.flatMap(({ tap, hardwareAddress }, index) => [
        ...["-netdev", `tap,id=c${index},ifname=${tap},script=no,downscript=no`],
        ...["-device", `virtio-net-pci,netdev=c${index},mac=${hardwareAddress}`],
      ]),
    ],
    { stdin: "ignore", stdout: "ignore", stderr: Bun.file(`${folder}/qemu.log`) },
  );
}

async function packGiven(given: GuestOptions["given"], folder: string): Promise<void> {
  const tree = `${folder}/given`;
  await mkdir(tree);
  for (const [name, source] of Object.entries(given))
    await cp(source, `${tree}/${name}`, { recursive: true, verbatimSymlinks: true });
  const size = Number((await runOk("measuring", ["/usr/bin/du", "-sm", tree])).split("\t")[0]);
  await makeFileSystem(tree, `${folder}/given.img`, `${Math.ceil(size * 1.2) + 64}M`);
  await rm(tree, { recursive: true });
}

/** Disk, kernel and key, made when the cache hasn't got them. `more` are packages beside those of any guest. */
export async function buildParts(more: readonly string[]): Promise<Parts> {
  const archive = await buildDebianRoot({
    name: "guest",
    packages: [...PACKAGES, ...more],
    variant: "apt",
    essentialHook: `mkdir -p "$1/etc/initramfs-tools/conf.d"; echo MODULES=list >"$1/etc/initramfs-tools/conf.d/vm"; printf '%s\\n' virtio_pci virtio_blk ext4 >"$1/etc/initramfs-tools/modules"`,
  });
  const folder = archive.replace(/\.tar$/, ".d");
  const parts = {
    disk: `${folder}/disk.qcow2`,
    kernel: `${folder}/kernel`,
    initrd: `${folder}/initrd`,
    key: `${folder}/key`,
  };
  if (await Bun.file(parts.disk).exists()) return parts;
  const work = await mkdtemp(`${folder}.`);
  const root = `${work}/root`;
  await mkdir(root);
  await runOk("unpacking", ["/usr/bin/tar", "-xpf", archive, "-C", root, "--numeric-owner"], {
    timeoutMs: 120_000,
  });
  for (const name of await readdir(`${root}/boot`))
    if (name.startsWith("vmlinuz-")) await cp(`${root}/boot/${name}`, `${work}/kernel`);
    else if (name.startsWith("initrd.img-")) await cp(`${root}/boot/${name}`, `${work}/initrd`);
  await runOk("making a key", ["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${work}/key`]);
  await furnish(root, await Bun.file(`${work}/key.pub`).text());
  await makeFileSystem(root, `${work}/disk.raw`, "24G");
  await runOk("converting", [
    ...["/usr/bin/qemu-img", "convert", "-O", "qcow2", `${work}/disk.raw`, `${work}/disk.qcow2`],
  ]);
  await rm(`${work}/disk.raw`);
  await runOk("removing the tree", ["/usr/bin/rm", "-rf", "--one-file-system", root]);
  await rm(folder, { recursive: true, force: true });
  await rename(work, folder);
  return parts;
}

/** What a cloud's image would bring: network by DHCP, a name, sources of packages, a way in. */
async function furnish(root: string, publicKey: string): Promise<void> {
  await mkdir(`${root}/root/.ssh`, { recursive: true, mode: 0o700 });
  const files = {
    "root/.ssh/authorized_keys": publicKey,
    "etc/hostname": "stock\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 stock\n",
    "etc/fstab": "/dev/vda / ext4 rw 0 1\n",
    "etc/resolv.conf": "nameserver 10.0.2.3\n",
    "etc/systemd/network/10-all.network":
      "[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n[DHCPv4]\nUseDNS=no\n",
    "etc/apt/sources.list.d/0000sources.list": await listSources(),
    "etc/apt/apt.conf.d/90dates": 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n',
  };
  for (const [path, text] of Object.entries(files)) await writeFile(`${root}/${path}`, text, { mode: 0o644 });
  await runOk("enabling the network", [
    ...["/usr/sbin/chroot", root, "/usr/bin/systemctl", "enable", "systemd-networkd", "ssh"],
  ]);
}

async function makeFileSystem(tree: string, image: string, size: string): Promise<void> {
  await runOk("making a disk", ["/usr/bin/truncate", "-s", size, image]);
  await runOk(
    "filling a disk",
    [
      ...["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-m", "0"],
      ...["-E", "lazy_itable_init=1,lazy_journal_init=1", "-d", tree, image],
    ],
    { timeoutMs: 300_000 },
  );
}
