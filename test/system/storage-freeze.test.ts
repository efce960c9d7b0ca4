/** Freezing of desktops' file systems, on a real one. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, mkdtemp } from "node:fs/promises";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { layoutOf, vmLayout } from "../../src/domain/node/layout.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { freeze, thaw } from "../../src/storage/freeze.ts";
import { listWritableMounts } from "../../src/storage/list-writable-mounts.ts";

const VM = asId<VmId>(41);
const SOON = { timeoutMs: 5_000 };

let scratch: string;
let mountPoint: string;
let layout: ReturnType<typeof layoutOf>;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-freeze-");
  layout = layoutOf(`${scratch}/state`, `${scratch}/run`, `${scratch}/shared`);
  mountPoint = vmLayout(layout, VM).homeDisk;
  await mkdir(mountPoint, { recursive: true });
  const image = `${scratch}/home.img`;
  await runOk("making a file", ["/usr/bin/truncate", "-s", "16M", image]);
  await runOk("making a file system", ["/usr/sbin/mkfs.ext4", "-q", image]);
  await runOk("mounting it", ["/usr/bin/mount", "-o", "loop", image, mountPoint]);
});
afterAll(async () => {
  await thaw([mountPoint], SOON);
  await run(["/usr/bin/umount", mountPoint]);
  await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]);
});

test("a desktop's mounted home is listed, and nothing else of it", async () => {
  await mkdir(vmLayout(layout, VM).root, { recursive: true });
  expect(await listWritableMounts(layout)).toEqual([{ vmId: VM, mountPoint }]);
  expect(await listWritableMounts(layoutOf("/nowhere", "/nowhere"))).toEqual([]);
});

test("nothing is written while it is frozen, and all of it afterwards; both may be asked for twice", async () => {
  for (const _again of [1, 2])
    expect(await freeze([mountPoint], SOON)).toEqual([{ mountPoint, fault: undefined }]);
  const writer = Bun.spawn(["/bin/sh", "-c", `echo written >${mountPoint}/letter`]);
  expect(await Promise.race([writer.exited, Bun.sleep(300)])).toBeUndefined();
  for (const _again of [1, 2])
    expect(await thaw([mountPoint], SOON)).toEqual([{ mountPoint, fault: undefined }]);
  expect(await writer.exited).toBe(0);
});

test("a program that hangs in the kernel is given up", async () => {
  await freeze([mountPoint], SOON);
  const touching = run(["/usr/bin/touch", `${mountPoint}/late`], { timeoutMs: 200 });
  await expect(touching).rejects.toMatchObject({ code: "timeout" });
  await thaw([mountPoint], SOON);
});

test("what can't be frozen is told, and doesn't keep the others from it", async () => {
  const missing = `${scratch}/missing`;
  const outcomes = await freeze([missing, mountPoint], SOON);
  expect(outcomes.map(({ fault }) => fault === undefined)).toEqual([false, true]);
  expect(outcomes[0]?.fault).toContain("missing");
  await thaw([mountPoint], SOON);
});
