/** Freezing of desktops' file systems, on real ones; the "box's own disk" is a small one of the test's too. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { vmLayout } from "../../src/domain/node/layout.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { freeze, freezePinned, thaw, thawPinned } from "../../src/storage/freeze.ts";
import { listWritableMounts } from "../../src/storage/list-writable-mounts.ts";
import { pinMount } from "../../src/storage/pin-mount.ts";
import { FrozenLab, SOON } from "../support/frozen-lab.ts";

let lab: FrozenLab;
beforeAll(async () => {
  lab = await FrozenLab.create();
});
beforeEach(() => lab.mountHome());
afterEach(() => lab.unmountHome());
afterAll(() => lab.dispose());

test("a desktop's mounted home is listed with its device, and nothing else of it", async () => {
  await mkdir(vmLayout(lab.layout, lab.vmId).root, { recursive: true });
  const disk = await lab.findDisk();
  expect(disk).toMatchObject({ vmId: lab.vmId, mountPoint: lab.home });
  expect(disk.device).toMatch(/^7:\d+$/);
  const elsewhere = { ...lab.layout, vmsFolder: "/nowhere" };
  expect(await listWritableMounts(elsewhere)).toEqual([]);
});

test("nothing is written while it is frozen, and all of it afterwards; both may be asked for twice", async () => {
  const disk = await lab.findDisk();
  for (const _again of [1, 2])
    expect(await freeze([disk], SOON)).toEqual([{ mountPoint: lab.home, fault: undefined }]);
  const writer = Bun.spawn(["/bin/sh", "-c", `echo written >${lab.home}/letter`]);
  expect(await lab.hangs(writer.pid)).toBe(true);
  expect(await Promise.race([writer.exited, Bun.sleep(300)])).toBeUndefined();
  for (const _again of [1, 2])
    expect(await thaw([disk], SOON)).toEqual([{ mountPoint: lab.home, fault: undefined }]);
  expect(await writer.exited).toBe(0);
});

test("a program that hangs in the kernel is given up", async () => {
  const disk = await lab.findDisk();
  await freeze([disk], SOON);
  // Once more where it was killed before it had come so far.
  const isGivenUp = async () => {
    const touching = run(["/usr/bin/touch", `${lab.home}/late`], { timeoutMs: 500 });
    const fault = await touching.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    return isAppError(fault) && fault.code === "timeout";
  };
  expect(await waitFor(isGivenUp, { timeoutMs: 30_000 })).toBe(true);
  await thaw([disk], SOON);
});

test("what can't be frozen is told, and doesn't keep the others from it", async () => {
  const disk = await lab.findDisk();
  const missing = { mountPoint: `${lab.parent}/missing`, device: "7:999" };
  const outcomes = await freeze([missing, disk], SOON);
  expect(outcomes.map(({ fault }) => fault === undefined)).toEqual([false, true]);
  expect(outcomes[0]?.fault).toContain("missing");
  await thaw([disk], SOON);
});

test("the disk that its mount point lies on is left alone when a home was unmounted after it was listed", async () => {
  const disk = await lab.findDisk();
  await lab.unmountHome();
  const [outcome] = await freeze([disk], SOON);
  expect(outcome?.fault).toContain("isn't mounted there any more");
  expect(await lab.isParentFrozen()).toBe(false);
  await lab.writeToParent();
});

test("another home that was mounted in its place is left alone too", async () => {
  const disk = await lab.findDisk();
  const [outcome] = await freeze([{ ...disk, device: "7:999" }], SOON);
  expect(outcome?.fault).toContain("7:999");
  await run(["/usr/bin/touch", `${lab.home}/still`], { timeoutMs: 10_000 });
});

test("one that is held can't be unmounted in order; unmounted lazily, it is still the one that freezes", async () => {
  const pinned = pinMount(await lab.findDisk());
  try {
    const plain = await run(["/usr/bin/umount", lab.home]);
    expect(plain.stderr).toContain("busy");
    expect((await run(["/usr/bin/umount", "--lazy", lab.home])).exitCode).toBe(0);
    expect(await freezePinned(pinned, SOON)).toBeUndefined();
    expect(await lab.isParentFrozen()).toBe(false);
    expect(await lab.isHomeAttached()).toBe(true);
    expect(await thawPinned(pinned, SOON)).toBeUndefined();
  } finally {
    pinned.release();
  }
  expect(await lab.isHomeDetached()).toBe(true);
});
