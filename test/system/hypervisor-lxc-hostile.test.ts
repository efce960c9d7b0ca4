/**
 * What root of a container can't do, tried for real and with better tools than it has: the host's programs, run
 * with its ids, its user namespace and its part of the control groups.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { groupFolder, openCgroupTree } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";

let lab: DesktopLab;
let init: number;
let limitFiles: readonly string[];

beforeAll(async () => {
  lab = await createDesktopLab("hvx", "10.216.0.0/24");
  const spec = await lab.prepare("polite");
  await lab.hypervisor.start(spec, new AbortController().signal);
  await waitFor(() => lab.hasBooted(spec.vmId), { timeoutMs: 30_000 });
  init = (await lab.init(spec.vmId)) ?? 0;
  const tree = await openCgroupTree("hvx");
  const group = groupFolder(tree, "container", spec.vmId);
  const below = group.slice(tree.unified.length);
  limitFiles = tree.roots.flatMap((root) =>
    ["memory.max", "memory.limit_in_bytes", "pids.max", "cpu.max"].map((file) => `${root}${below}/${file}`),
  );
}, 180_000);
afterAll(() => lab.dispose(), 180_000);

/** Prints "got it" where it works. */
async function attempt(script: string): Promise<string> {
  const spaces = ["--user", "--cgroup", "--ipc", "--uts", "--setuid=0", "--setgid=0"];
  const command = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script];
  const { stdout } = await run(["/usr/bin/nsenter", "-t", `${init}`, ...spaces, ...command]);
  return stdout;
}

const readLimits = async () =>
  (await Promise.all(limitFiles.map((path) => readFile(path, "utf8").catch(() => "")))).filter(
    (text) => text !== "",
  );

test("lift its limits, by groups that it mounts itself", async () => {
  const before = await readLimits();
  expect(before.length).toBeGreaterThan(1);
  const said = await attempt(`
    mkdir -p /tmp/x 2>/dev/null; mount -t tmpfs none /mnt
    for kind in "cgroup2" "cgroup -o memory" "cgroup -o pids" "cgroup -o cpu,cpuacct"; do
      mkdir /mnt/g; mount -t $kind none /mnt/g 2>/dev/null || continue
      echo mounted
      for file in memory.max memory.high pids.max cpu.max; do
        [ -e /mnt/g/$file ] && echo max 2>/dev/null >/mnt/g/$file && echo got it
      done
      for file in memory.limit_in_bytes cpu.cfs_quota_us; do
        [ -e /mnt/g/$file ] && echo -1 2>/dev/null >/mnt/g/$file && echo got it
      done
      [ -e /mnt/g/release_agent ] && echo /tmp/evil 2>/dev/null >/mnt/g/release_agent && echo got it
      umount /mnt/g
    done`);
  expect(said).toContain("mounted");
  expect(said).not.toContain("got it");
  expect(await readLimits()).toEqual(before);
});

test.each([
  ["make a device of the host's disk", "mount -t tmpfs none /mnt; mknod /mnt/disk b 7 0 2>/dev/null"],
  ["open one that is there", "head -c1 /dev/loop0 2>/dev/null | grep -q ."],
  ["mount one", "mount -t ext4 /dev/loop0 /mnt 2>/dev/null"],
  ["tell the kernel what to run", "echo '|/tmp/evil' 2>/dev/null >/proc/sys/kernel/core_pattern"],
  ["press the kernel's keys", "echo h 2>/dev/null >/proc/sysrq-trigger"],
  ["load a module", "modprobe dummy 2>/dev/null && lsmod | grep -q dummy"],
  ["read what the host keeps to itself", "cat /etc/shadow 2>/dev/null | grep -q ."],
  ["enter the host's namespaces", "nsenter --mount=/proc/1/ns/mnt true 2>/dev/null"],
  ["end a process of the host's", "kill -0 1 2>/dev/null"],
])("%s", async (_what, script) => {
  expect(await attempt(`if ${script}; then echo got it; fi`)).not.toContain("got it");
});

test("the attempts that fail are not just mistyped: root of the host gets there by the same words", async () => {
  const { exitCode } = await run(["/bin/sh", "-c", "kill -0 1 && cat /etc/shadow | grep -q ."]);
  expect(exitCode).toBe(0);
});
