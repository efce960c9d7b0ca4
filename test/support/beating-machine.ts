/**
 * A beating desktop (`beating-desktop.ts`) as a virtual machine: Debian's kernel, our agent, and little else. It boots
 * in some ten seconds without hardware's help. Its moments are those of the box's clock, which it reads from its
 * machine's: its own would be another's, and stand still with it.
 */

import { copyFile, cp, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { runOk } from "../../src/lib/run.ts";
import { BEAT, type BeatingDesktop } from "./beating-desktop.ts";
import { guestKernel, makeInitrd } from "./machine-guest.ts";
import { makeTinyRoot } from "./tiny-root.ts";

const MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "virtio_console"];
const DISK_MB = 400;
const AGENT = "/opt/qvd/agent";

const FIRST_INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev; mount -t proc proc /proc
for module in $(cat /modules/order); do insmod /modules/$module; done
until [ -b /dev/vda1 ]; do sleep 0.1; done
mount -t ext4 -o noatime /dev/vda1 /root
mount -o move /dev /root/dev; mount -o move /proc /root/proc
exec switch_root /root /usr/sbin/init
`;

/** It beats once it has its home and, by the network's server of addresses, its name. */
const INIT = `#!/usr/bin/dash
export PATH=/usr/sbin:/usr/bin BUN_JSC_useJIT=0
mount -t sysfs sys /sys; mount -t tmpfs run /run; mount -t tmpfs tmp /tmp
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
  read -r name <$port/name && ln -s /dev/\${port##*/} /dev/virtio-ports/$name
done
# A connection that is cut is given up before the next line is due.
echo 1 >/proc/sys/net/ipv4/tcp_syn_retries
ip link set lo up; ip link set eth0 up
udhcpc -q -f -t 1000 -T 1 -i eth0 -x hostname: -s /usr/sbin/leased >/tmp/dhcp.log 2>&1 &
while :; do
  ${AGENT} guest run
  [ $? != 80 ] || { sync; poweroff -f; }
  sleep 0.2
done &
until grep -q ' /home ' /proc/mounts && [ -e /tmp/named ]; do sleep 0.1; done
bash /usr/bin/beat </dev/null &
while :; do wait; sleep 1; done
`;

const LEASED = `#!/usr/bin/dash
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev eth0
ip route add default via "\${router%% *}"
echo "$hostname" >/proc/sys/kernel/hostname
touch /tmp/named
`;

/** Makes the disk at `path`, a qcow2. */
export async function packBeatingMachine(path: string, { agent, report }: BeatingDesktop): Promise<void> {
  const scratch = await mkdtemp("/var/tmp/qvd-beating-machine-");
  try {
    const root = `${scratch}/root`;
    await makeTinyRoot(root);
    for (const name of ["mke2fs", "e2fsck", "resize2fs"]) await addProgram(root, `/usr/sbin/${name}`);
    await symlink("mke2fs", `${root}/usr/sbin/mkfs.ext4`);
    await cp("/bin/busybox", `${root}/usr/bin/busybox`);
    for (const name of ["mount", "ip", "udhcpc", "poweroff", "sync", "ln"])
      await symlink("busybox", `${root}/usr/bin/${name}`);
    await addProgram(root, agent, AGENT);
    const scripts = {
      "sbin/init": INIT,
      "sbin/leased": LEASED,
      "bin/beat": BEAT({ report, readNow: READ_NOW }),
    };
    for (const [name, text] of Object.entries(scripts))
      await writeFile(`${root}/usr/${name}`, text, { mode: 0o755 });
    await cp(await guestKernel(), `${root}/vmlinuz`);
    await makeInitrd(`${scratch}/initramfs`, `${root}/initrd.img`, { init: FIRST_INIT, modules: MODULES });
    await mkdir(`${root}/boot/grub`, { recursive: true });
    const line = "quiet panic=1 mitigations=off nokaslr random.trust_cpu=on";
    const menu = `set timeout=0\nlinux /vmlinuz ${line}\ninitrd /initrd.img\nboot\n`;
    await writeFile(`${root}/boot/grub/grub.cfg`, menu);
    const makeDisk = fileURLToPath(new URL("../../script/lib/make-disk", import.meta.url));
    await runOk("making a machine's disk", [makeDisk, root, `${scratch}/disk`, `${DISK_MB}`], {
      timeoutMs: 120_000,
    });
    await mkdir(dirname(path), { recursive: true });
    await copyFile(`${scratch}/disk`, `${path}.new`);
    await rename(`${path}.new`, path);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Whole seconds, always rounded down: what is less than one apart may be seen as one after the other. */
const READ_NOW = "read -r now </sys/class/rtc/rtc0/since_epoch";

async function addProgram(root: string, source: string, to = source): Promise<void> {
  await mkdir(dirname(`${root}${to}`), { recursive: true });
  await cp(await realpath(source), `${root}${to}`);
  const linked = await runOk(`reading the libraries of ${source}`, ["/usr/bin/ldd", source]);
  for (const [library] of linked.matchAll(/\/lib\S+/g)) {
    await mkdir(dirname(`${root}/usr${library}`), { recursive: true });
    await cp(await realpath(library), `${root}/usr${library}`);
  }
}
