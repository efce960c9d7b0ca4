/** Unmounting of homes that somebody froze: nothing may be left that holds the image, whoever froze it when. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { silentLog } from "../../src/lib/log.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createFenceDisks, endFreezers } from "../../src/node/keeper/fence-disks.ts";
import { isAttached, readSequence } from "../../src/storage/attached-loop.ts";
import { freeze } from "../../src/storage/freeze.ts";
import { openLibc } from "../../src/storage/libc.ts";
import { noteLoop } from "../../src/storage/loop-notes.ts";
import { pinMount } from "../../src/storage/pin-mount.ts";
import type { LetGo } from "../../src/storage/settle-disk.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import { FrozenLab, SOON } from "../support/frozen-lab.ts";

let lab: FrozenLab;
let storage: Storage;
let letGo: LetGo = "written";
beforeAll(async () => {
  lab = await FrozenLab.create();
  storage = createStorage({
    ...{ layout: lab.layout, idRangeFirst: 1_000_000, log: silentLog(), reserveBytes: 0 },
    letGo: () => letGo,
  });
});
beforeEach(async () => {
  letGo = "written";
  await lab.mountHome();
});
afterEach(() => lab.unmountHome());
afterAll(() => lab.dispose());

/** What a new mount of the image shows. */
async function listHome(): Promise<readonly string[]> {
  await lab.mountHome();
  return await readdir(lab.home);
}

const write = (name: string) => runOk("writing", ["/usr/bin/touch", `${lab.home}/${name}`]);

/** As after a crash of whoever unmounted it: the note is there, the mount isn't, and the home is frozen. */
async function leaveOrphan(): Promise<void> {
  const { device, mountPoint } = await lab.findDisk();
  const name = `loop${device.split(":")[1]}`;
  const attachment = { name, sequence: await readSequence(name), mountPoint };
  await noteLoop(lab.layout, attachment);
  await lab.freezeHome();
  await lab.unmountHomeAsItIs();
  expect(await isAttached(attachment)).toBe(true);
}

test("a frozen home lets go of its image, and what was written is there", async () => {
  await write("kept");
  await lab.freezeHome();
  await storage.unmountDesktop(lab.vmId);
  expect(await lab.isHomeAttached()).toBe(false);
  expect(await listHome()).toContain("kept");
});

test("while the right to run is in doubt it stays mounted, and says so", async () => {
  await lab.freezeHome();
  letGo = "undecided";
  await expect(storage.unmountDesktop(lab.vmId)).rejects.toMatchObject({ code: "unavailable" });
  expect(await lab.isHomeMounted()).toBe(true);
  letGo = "written";
  await storage.unmountDesktop(lab.vmId);
  expect(await lab.isHomeAttached()).toBe(false);
});

test("once another box has taken over nothing more of it reaches the image", async () => {
  await write("early");
  await lab.freezeHome();
  letGo = "dropped";
  await storage.unmountDesktop(lab.vmId);
  expect(await lab.isHomeAttached()).toBe(false);
  expect(await listHome()).toContain("early");
  await write("late");
  letGo = "dropped";
  await storage.unmountDesktop(lab.vmId);
  expect(await listHome()).not.toContain("late");
});

test.each(["written", "dropped"] as const)(
  "one that froze at its last unmount is had back: %s",
  async (how) => {
    await leaveOrphan();
    letGo = how;
    await storage.unmountDesktop(lab.vmId);
    expect(await lab.isHomeAttached()).toBe(false);
    expect(existsSync(lab.home)).toBe(false);
    expect(await readdir(`${lab.layout.runFolder}/loops`)).toEqual([]);
  },
);

test("it is had back in doubt too, and waits mounted until that is known", async () => {
  await leaveOrphan();
  letGo = "undecided";
  await expect(storage.unmountDesktop(lab.vmId)).rejects.toMatchObject({ code: "unavailable" });
  expect(await lab.isHomeMounted()).toBe(true);
  letGo = "dropped";
  await storage.unmountDesktop(lab.vmId);
  expect(await lab.isHomeAttached()).toBe(false);
});

test("somebody who freezes it again and again meanwhile leaves nothing behind", async () => {
  const disk = await lab.findDisk();
  let isOver = false;
  const freezing = (async () => {
    for (let times = 0; times < 30 && !isOver; times++) await freeze([disk], SOON);
  })();
  await storage.unmountDesktop(lab.vmId);
  isOver = true;
  await freezing;
  expect(await lab.isHomeAttached()).toBe(false);
  expect(await lab.isParentFrozen()).toBe(false);
});

test("the fence drops a frozen home, and one that was unmounted frozen", async () => {
  letGo = "dropped";
  const disks = createFenceDisks({ layout: lab.layout, storage, libc: openLibc(), log: silentLog() });
  await disks.freeze("all");
  await disks.drop();
  expect(await lab.isHomeAttached()).toBe(false);
  await lab.mountHome();
  await leaveOrphan();
  await disks.drop();
  expect(await lab.isHomeAttached()).toBe(false);
});

test("the fence freezes what was mounted since, and lets a writer that hangs go on when it shuts down", async () => {
  const disks = createFenceDisks({ layout: lab.layout, storage, libc: openLibc(), log: silentLog() });
  await lab.unmountHome();
  expect(await disks.freeze("all")).toBe(true);
  await lab.mountHome();
  expect(await disks.freeze("new")).toBe(true);
  const writer = Bun.spawn(["/usr/bin/touch", `${lab.home}/late`], { stderr: "ignore" });
  expect(await lab.hangs(writer.pid)).toBe(true);
  await disks.shutDown();
  expect(await writer.exited).not.toBe(0);
});

test("programs that are about to freeze it are ended, and no others", async () => {
  const disk = await lab.findDisk();
  const pinned = pinMount(disk);
  const other = pinMount({ ...disk, mountPoint: lab.parent, device: await lab.readParentDevice() });
  const start = ({ descriptor }: { readonly descriptor: number }) =>
    Bun.spawn(["/bin/sh", "-c", "read line", "sh", "--freeze"], {
      stdio: ["pipe", "ignore", "ignore", descriptor],
    });
  const [ours, theirs] = [start(pinned), start(other)];
  pinned.release();
  other.release();
  try {
    expect(await waitFor(async () => await endFreezers([disk]), { timeoutMs: 30_000 })).toBe(true);
    expect(await ours.exited).not.toBe(0);
    expect(theirs.exitCode).toBeNull();
  } finally {
    theirs.kill("SIGKILL");
    await theirs.exited;
  }
});
