/**
 * A guest just big enough for the tests of virtual machines: Debian's kernel with a few of its modules, this
 * machine's static busybox, and a script as its first program. It boots from its disk as any guest does, in two
 * to four seconds even without hardware's help. Made once and kept; the kernel's package comes from Debian.
 */

import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { GuestManner } from "../../src/hypervisor/contract.ts";
import { runOk } from "../../src/lib/run.ts";

const CACHE = "/var/cache/qvd/guests";
const MODULES = ["virtio_pci", "virtio_console", "button", "evdev"];
const PACKAGE = "linux-image-cloud-amd64";
const DISK_MB = 64;
const SLOW_MS = 5 * 60_000;

const INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module; done
manner=$(sed 's/.*manner=\\([a-z]*\\).*/\\1/' /proc/cmdline)
[ "$manner" = polite ] || for _ in 1 2; do (trap '' TERM HUP; while :; do sleep 1; done) & done
for input in /sys/class/input/event*; do
  grep -q "Power Button" $input/device/name && button=/dev/input/\${input##*/}
done
# A system's own way down: it asks, waits a moment, and insists.
(dd if=$button of=/dev/null bs=24 count=1 2>/dev/null; kill -TERM -1; sleep 0.5; poweroff -f) &
while :; do
  for port in /sys/class/virtio-ports/*; do
    [ "$(cat $port/name)" = org.qvd.guest.0 ] || continue
    exec 3<>/dev/\${port##*/}
    while :; do echo "up $manner" >&3; sleep 1; done
  done
  sleep 1
done
`;

/** Kernel of the tests' guests, for tests that boot nothing else. */
export async function guestKernel(): Promise<string> {
  const folder = await unpackKernel();
  const names = await readdir(`${folder}/boot`);
  return `${folder}/boot/${names.find((name) => name.startsWith("vmlinuz"))}`;
}

/** Path of a bootable qcow2 disk; the same for everybody who asks. */
export async function guestDisk(manner: GuestManner): Promise<string> {
  const version = Bun.hash(INIT + MODULES.join()).toString(36);
  const path = `${CACHE}/tiny-${manner}-${version}.qcow2`;
  if (await Bun.file(path).exists()) return path;
  const kernel = await guestKernel();
  const work = await mkdtemp(`${CACHE}/.tiny-`);
  try {
    await makeInitrd(`${work}/initramfs`, `${work}/root/initrd.img`, { init: INIT, modules: MODULES });
    await cp(kernel, `${work}/root/vmlinuz`);
    await mkdir(`${work}/root/boot/grub`, { recursive: true });
    const line = `quiet panic=1 mitigations=off nokaslr random.trust_cpu=on manner=${manner}`;
    await writeFile(
      `${work}/root/boot/grub/grub.cfg`,
      `set timeout=0\nlinux /vmlinuz ${line}\ninitrd /initrd.img\nboot\n`,
    );
    const makeDisk = fileURLToPath(new URL("../../script/lib/make-disk", import.meta.url));
    await runOk("making a guest's disk", [makeDisk, `${work}/root`, `${work}/disk`, `${DISK_MB}`], {
      timeoutMs: SLOW_MS,
    });
    await rename(`${work}/disk`, path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return path;
}

async function unpackKernel(): Promise<string> {
  const folder = `${CACHE}/kernel`;
  if (await Bun.file(`${folder}/complete`).exists()) return folder;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(`${CACHE}/.kernel-`);
  try {
    const depends = await runOk("looking for Debian's kernel", ["/usr/bin/apt-cache", "depends", PACKAGE]);
    const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (name === undefined) throw new Error(`apt knows no ${PACKAGE}; run apt-get update`);
    const options = { cwd: work, timeoutMs: SLOW_MS };
    await runOk("fetching Debian's kernel", ["/usr/bin/apt-get", "-q", "download", name], options);
    const file = (await readdir(work)).find((one) => one.endsWith(".deb")) ?? "";
    await runOk("unpacking Debian's kernel", ["/usr/bin/dpkg-deb", "-x", `${work}/${file}`, `${work}/tree`]);
    const [version = ""] = await readdir(`${work}/tree/lib/modules`);
    await runOk("listing the kernel's modules", ["/usr/sbin/depmod", "-b", `${work}/tree`, version]);
    await writeFile(`${work}/tree/complete`, `${version}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(`${work}/tree`, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

export type Initrd = {
  /** A script, its first program. */
  readonly init: string;
  readonly modules: readonly string[];
};

/** Packs busybox, modules and first program of a guest at `path`; they are laid out in `tree`. */
export async function makeInitrd(tree: string, path: string, { init, modules }: Initrd): Promise<void> {
  const kernel = `${CACHE}/kernel`;
  const version = (await Bun.file(`${kernel}/complete`).text()).trim();
  await mkdir(`${tree}/bin`, { recursive: true });
  await mkdir(`${tree}/modules`);
  await mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await cp("/bin/busybox", `${tree}/bin/busybox`);
  await writeFile(`${tree}/init`, init, { mode: 0o755 });
  const order = new Set<string>();
  for (const name of modules) {
    const words = ["/usr/sbin/modprobe", "-d", kernel, "-S", version, "--show-depends", name];
    const listed = await runOk(`looking for the module ${name}`, words);
    for (const match of listed.matchAll(/insmod (\S+)/g)) order.add(match[1] ?? "");
  }
  const names: string[] = [];
  for (const module of order) {
    const name = module.slice(module.lastIndexOf("/") + 1);
    names.push(name);
    await cp(module, `${tree}/modules/${name}`);
  }
  await writeFile(`${tree}/modules/order`, `${names.join("\n")}\n`);
  await runOk("packing the guest's files", [
    ...["/bin/sh", "-c", 'cd "$1" && find . | cpio --quiet -o -H newc > "$2"', "sh", tree, path],
  ]);
}
