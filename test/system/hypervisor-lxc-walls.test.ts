/** What keeps a desktop in: limits that are in force, ids of its own, and nothing of the host's in its reach. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, readFile, stat } from "node:fs/promises";
import { homeFolder } from "../../src/domain/node/layout.ts";
import type { DesktopSpec } from "../../src/hypervisor/driver.ts";
import { groupFolder, openCgroupTree, rootsOf } from "../../src/hypervisor/lxc/cgroup-tree.ts";
import { endStandingBack, standBack } from "../../src/hypervisor/lxc/cpu-share.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";

let lab: DesktopLab;
let spec: DesktopSpec;
beforeAll(async () => {
  lab = await createDesktopLab("hvw", "10.248.0.0/24");
  spec = await lab.prepare("polite");
  await lab.hypervisor.start(spec, new AbortController().signal);
  await waitFor(() => lab.hasBooted(spec.vmId), { timeoutMs: 30_000 });
}, 180_000);
afterAll(() => lab.dispose(), 180_000);

const guest = async (script: string) => lab.inGuest(spec.vmId, script);

describe("limits", () => {
  test("of memory, processors and processes are those of the kernel's books", async () => {
    expect(await readLimit(["memory.max", "memory.limit_in_bytes"])).toBe(`${128 * 2 ** 20}`);
    expect(await readLimit(["cpu.max", "cpu.cfs_quota_us"])).toStartWith("100000");
    expect(await readLimit(["pids.max"])).toBe("4096");
  });

  test("a desktop that starts stands back for those that run, until it is settled", async () => {
    const share = async () => (await readLimit(["cpu.weight", "cpu.shares"])) ?? "none";
    // Of an idle group the kernel tells no share that anybody gave it.
    if ((await readLimit(["cpu.idle"])) !== "1") expect(["12", "128"]).toContain(await share());
    for (let again = 0; again < 2; again++) await lab.hypervisor.settle(spec.vmId);
    expect(["100", "1024"]).toContain(await share());
    expect(["0", undefined]).toContain(await readLimit(["cpu.idle"]));
    await endStandingBack(await openCgroupTree("hvw"), spec.vmId);
    expect(["100", "1024"]).toContain(await share());
  });

  test("a desktop that takes long to come up has its small share after a while", async () => {
    const tree = await openCgroupTree("hvw");
    await standBack(tree, spec.vmId);
    // Kernels before 5.15 know no idle groups; there it has its share all along.
    const canStandBack = (await readLimit(["cpu.idle"])) === "1";
    await endStandingBack(tree, spec.vmId);
    const share = (await readLimit(["cpu.weight", "cpu.shares"])) ?? "none";
    expect(canStandBack ? ["12", "128"] : ["100", "1024"]).toContain(share);
    expect(canStandBack ? "0" : undefined).toBe(await readLimit(["cpu.idle"]));
    await lab.hypervisor.settle(spec.vmId);
  });

  test("all desktops together weigh ten times what a group of the box's own processes does", async () => {
    const tree = await openCgroupTree("hvw");
    const read = (path: string) => readFile(path, "utf8").catch(() => "");
    const weights = await Promise.all(
      rootsOf(tree, "cpu").flatMap((root) =>
        ["cpu.weight", "cpu.shares"].map((file) => read(`${root}/${tree.instance}/${file}`)),
      ),
    );
    expect(["1000", "10240"]).toContain(weights.map((text) => text.trim()).find((text) => text !== "") ?? "");
  });

  test("leave none of the host's swap to it, where the kernel counts that", async () => {
    const limit = await readLimit(["memory.swap.max", "memory.memsw.limit_in_bytes"]);
    expect(["0", `${128 * 2 ** 20}`, undefined]).toContain(limit);
  });

  test("of control groups that it makes for itself", async () => {
    // As its root, who may mount its own part of the tree.
    const asRoot = ["--user", "--cgroup", "--setuid=0", "--setgid=0", "/usr/bin/unshare", "--mount"];
    const script = "mount -t cgroup2 none /mnt && cd /mnt && for n in $(seq 300); do mkdir g$n; done";
    await run(["/usr/bin/nsenter", "-t", `${await lab.init(spec.vmId)}`, ...asRoot, "/bin/sh", "-c", script]);
    const group = groupFolder(await openCgroupTree("hvw"), "container", spec.vmId);
    const made = (await readdir(group)).filter((name) => /^g[0-9]+$/.test(name));
    expect(made.length).toBe(128);
  });

  test("temporary file systems fill up without ending the desktop", async () => {
    const filled = await guest(
      "for f in /tmp/fill /dev/shm/fill; do dd if=/dev/zero of=$f bs=1M count=200 2>&1; done; rm -f /tmp/fill /dev/shm/fill",
    );
    expect(filled.stdout).toContain("No space left on device");
    expect((await guest("echo alive")).stdout).toBe("alive\n");
  });
});

describe("the desktop's ids", () => {
  test("its processes run in its own range", async () => {
    const status = await readFile(`/proc/${await lab.init(spec.vmId)}/status`, "utf8");
    expect(status).toMatch(new RegExp(`^Uid:\\s+${spec.idRange.first}\\s`, "m"));
    expect(status).toMatch(/^Groups:\s*$/m);
  });

  test("files in its home lie on the disk with plain ids", async () => {
    await guest(
      "mkdir /home/ada && chown 1000:1000 /home/ada && touch /home/ada/letter && chown 1000:1000 /home/ada/letter",
    );
    const onDisk = await stat(`${homeFolder(lab.layout, spec.vmId)}/ada/letter`);
    expect([onDisk.uid, onDisk.gid]).toEqual([1000, 1000]);
  });

  test("a setuid program of the image works inside", async () => {
    expect((await guest("stat -c '%u %a' /usr/bin/su")).stdout).toBe("0 4755\n");
  });
});

describe("the host's things", () => {
  test.each([
    ["the agent", "echo x >/opt/qvd/qvd"],
    ["the init script", "echo x >/opt/qvd/init"],
    ["the channel's folder", "touch /run/qvd/x"],
    ["a remount of the channel's folder", "mount -o remount,rw /run/qvd 2>/dev/null && touch /run/qvd/x"],
    ["kernel settings", "echo 1 >/proc/sys/vm/drop_caches"],
    ["the kernel's trigger", "echo b >/proc/sysrq-trigger"],
    ["a disk", "mknod /tmp/disk b 254 0"],
    ["its own limit", "echo 1000000000 >/sys/fs/cgroup/memory.max"],
  ])("%s can't be written by its root", async (_what, attempt) => {
    expect((await guest(attempt)).exitCode).not.toBe(0);
  });

  test("its root file system is its own: the base stays as it was", async () => {
    expect((await guest("echo mine >/etc/passwd && cat /etc/passwd")).stdout).toBe("mine\n");
    expect(await readFile(`${lab.layout.basesFolder}/1/etc/passwd`, "utf8")).toStartWith("root:");
  });

  test("it is told its name, its name servers and where to look short names up", async () => {
    const told = await guest("hostname; cat /etc/resolv.conf; grep lab /etc/hosts");
    expect(told.stdout).toBe(
      `${spec.hostName}\nsearch office.test\nnameserver 192.0.2.53\n127.0.1.1 ${spec.hostName}\n`,
    );
  });
});

async function readLimit(files: readonly string[]): Promise<string | undefined> {
  for (const root of lab.tree.roots)
    for (const file of files) {
      const text = await readFile(`${root}/hvw/c/${spec.vmId}/${file}`, "utf8").catch(() => undefined);
      if (text !== undefined) return text.trim();
    }
  return undefined;
}
