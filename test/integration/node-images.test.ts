/** What a box does about images in advance and afterwards: unpacks the new ones, removes the deleted ones. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import type { DiId } from "../../src/domain/ids.ts";
import { baseFolder, withSharedBases } from "../../src/domain/node/layout.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { BaseUnpacker } from "../../src/node/base-unpacker.ts";
import { sweepImages } from "../../src/node/sweep-images.ts";
import { deleteImage } from "../../src/service/image/delete.ts";
import type { NodeDatabase } from "../support/node-database.ts";
import { NodeWorld } from "../support/node-world.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let world: NodeWorld;
let rows: NodeDatabase;
let unpacker: BaseUnpacker;
let aheadMs = 0;
let changes = 0;
/** Files can't be made to look old: the time of their coming is the kernel's. So our clock goes ahead. */
const clock: Clock = {
  nowMs: () => systemClock.nowMs() + aheadMs,
  monotonicMs: () => systemClock.monotonicMs() + aheadMs,
};

beforeEach(async () => {
  aheadMs = 0;
  changes = 0;
  world = await NodeWorld.create();
  rows = world.rows;
  mkdirSync(world.layout.incomingFolder, { recursive: true });
  unpacker = new BaseUnpacker({
    db: rows.node,
    storage: world.storage,
    layout: world.layout,
    onChange: () => void changes++,
    clock,
    log: silentLog(),
  });
});
afterEach(async () => {
  await unpacker.stop();
  await world.end();
});

function layArchive(diId: DiId, name = "desk.tar"): void {
  writeFileSync(`${world.layout.imagesFolder}/${diId}-${name}`, "an image");
}

const hasBase = (diId: DiId) => existsSync(baseFolder(world.layout, diId));
const becomesBase = (diId: DiId) => waitFor(() => hasBase(diId), { timeoutMs: 15_000 });

describe("an image that is ready", () => {
  test("is unpacked before anybody starts from it, the newest first, one at a time", async () => {
    const images = [rows.diId, await rows.addImage("2"), await rows.addImage("3")];
    for (const diId of images) layArchive(diId);
    // So slowly that the first is seen before the last begins.
    world.storage.slowUnpacking(500);
    unpacker.wake();
    unpacker.wake();
    const [oldest = rows.diId, , newest = rows.diId] = images;
    expect(await becomesBase(newest)).toBe(true);
    expect(hasBase(oldest)).toBe(false);
    expect(await becomesBase(oldest)).toBe(true);
    expect(world.storage.unpackings).toEqual({ most: 1, begun: 3 });
    expect(unpacker.failed).toEqual([]);
  });

  test("is left alone when it is unpacked, blocked, or its file is on another box", async () => {
    const [unpacked, blocked] = [rows.diId, await rows.addImage("2")];
    for (const diId of [unpacked, blocked]) layArchive(diId);
    mkdirSync(baseFolder(world.layout, unpacked));
    await rows.addImage("3");
    await rows.owner.execute(sql`update dis set is_blocked = true where id = ${blocked}`);
    unpacker.wake();
    await unpacker.stop();
    expect(world.storage.unpackings.begun).toBe(0);
  });

  test("that there is no room for is a problem of the node until there is", async () => {
    layArchive(rows.diId);
    world.storage.failUnpacking(1, "the disk is full", "storage-full");
    unpacker.wake();
    expect(await waitFor(() => unpacker.failed.length > 0, { timeoutMs: 15_000 })).toBe(true);
    expect(unpacker.failed).toEqual([{ name: "desk:1", code: "storage-full", text: "the disk is full" }]);
    expect(changes).toBe(1);
    unpacker.wake();
    expect(world.storage.unpackings.begun).toBe(1);
    aheadMs = MINUTE_MS;
    unpacker.wake();
    expect(await becomesBase(rows.diId)).toBe(true);
    expect(await waitFor(() => unpacker.failed.length === 0, { timeoutMs: 15_000 })).toBe(true);
    expect(changes).toBe(2);
    const [image] = await rows.owner.execute(sql`select state, fault from dis where id = ${rows.diId}`);
    expect(image).toEqual({ state: "ready", fault: null });
  });

  test("is no longer a problem when it is deleted", async () => {
    const other = await rows.addImage("2");
    layArchive(other);
    world.storage.failUnpacking(1, "it is truncated");
    unpacker.wake();
    expect(await waitFor(() => unpacker.failed.length > 0, { timeoutMs: 15_000 })).toBe(true);
    await rows.owner.execute(sql`delete from dis where id = ${other}`);
    unpacker.wake();
    expect(await waitFor(() => unpacker.failed.length === 0, { timeoutMs: 15_000 })).toBe(true);
  });

  test("is taken up again by the next node when the box goes down in the middle", async () => {
    layArchive(rows.diId);
    world.storage.slowUnpacking(10_000);
    unpacker.wake();
    expect(await waitFor(() => unpacker.isUnpacking(rows.diId), { timeoutMs: 15_000 })).toBe(true);
    await unpacker.stop();
    expect(unpacker.failed).toEqual([]);
    expect(hasBase(rows.diId)).toBe(false);
  });

  test("is waited for by a start that comes meanwhile, which says so", async () => {
    await world.startNode();
    layArchive(rows.diId);
    world.storage.slowUnpacking(3_000);
    world.unpacking.add(rows.diId);
    unpacker.wake();
    await waitFor(() => unpacker.isUnpacking(rows.diId), { timeoutMs: 15_000 });
    const vm = await rows.addVm("one");
    await rows.wish(vm, "running");
    expect(await rows.reaches(vm, "running")).toBe("running");
    expect(await rows.textOf(vm, "image-unpack-started")).toMatch(/being unpacked; the start waits/);
    expect(world.storage.unpackings).toEqual({ most: 1, begun: 1 });
  });
});

describe("what lies about of images", () => {
  const used = new Set<DiId>();
  const sweep = () =>
    sweepImages(
      {
        db: rows.node,
        storage: world.storage,
        layout: world.layout,
        listUsed: () => used,
        clock,
        log: silentLog(),
      },
      new AbortController().signal,
    );
  const archives = () => readdirSync(world.layout.imagesFolder).filter((name) => name !== "incoming");
  const erase = (diId: DiId) =>
    deleteImage({ db: rows.owner, actor: { kind: "system", what: "test" } }, { diId });

  beforeEach(() => used.clear());

  async function makeTwo(): Promise<readonly [DiId, DiId]> {
    const images = [rows.diId, await rows.addImage("2")] as const;
    for (const diId of images) {
      layArchive(diId);
      mkdirSync(baseFolder(world.layout, diId));
    }
    return images;
  }

  test("goes when its image was deleted, and not before it has lain for some minutes", async () => {
    const [kept, deleted] = await makeTwo();
    await erase(deleted);
    await sweep();
    expect(hasBase(deleted)).toBe(true);
    aheadMs = 6 * MINUTE_MS;
    expect(await sweep()).toEqual([]);
    expect(hasBase(deleted)).toBe(false);
    expect(hasBase(kept)).toBe(true);
    expect(archives()).toEqual([`${kept}-desk.tar`]);
  });

  test("stays while a desktop of the box runs on it", async () => {
    const [, deleted] = await makeTwo();
    await erase(deleted);
    used.add(deleted);
    aheadMs = DAY_MS;
    await sweep();
    expect(hasBase(deleted)).toBe(true);
    expect(archives()).toContain(`${deleted}-desk.tar`);
  });

  test("stays and is told of when this database never deleted it, as after a restore", async () => {
    const [, lost] = await makeTwo();
    await rows.owner.execute(sql`delete from dis where id = ${lost}`);
    aheadMs = DAY_MS;
    expect(await sweep()).toEqual([lost]);
    expect(hasBase(lost)).toBe(true);
    expect(archives()).toHaveLength(2);
  });

  test("stays when it isn't named like an image, isn't a plain file, or belongs to somebody else", async () => {
    const [, deleted] = await makeTwo();
    await erase(deleted);
    const { imagesFolder, incomingFolder } = world.layout;
    writeFileSync(`${imagesFolder}/notes.txt`, "mine");
    writeFileSync(`${imagesFolder}/${deleted}-other.tar`, "another image's");
    symlinkSync("/etc/passwd", `${imagesFolder}/${deleted}-link.tar`);
    mkdirSync(`${incomingFolder}/folder`);
    aheadMs = 2 * DAY_MS;
    await sweep();
    expect(archives().sort()).toEqual(
      ["notes.txt", `${deleted}-other.tar`, `${deleted}-link.tar`, `${rows.diId}-desk.tar`].sort(),
    );
    expect(readdirSync(incomingFolder)).toEqual(["folder"]);
  });

  test("goes when it was uploaded a day ago and nobody enrolled it", async () => {
    const { incomingFolder } = world.layout;
    for (const name of ["left.tar", ".left.tar.x.part", "desk2.tar"])
      writeFileSync(`${incomingFolder}/${name}`, "bytes");
    await rows.owner.execute(sql`insert into dis (osf_id, version, file_name)
      values (${rows.osfId}, '2', 'desk2.tar')`);
    aheadMs = DAY_MS - MINUTE_MS;
    await sweep();
    expect(readdirSync(incomingFolder)).toHaveLength(3);
    aheadMs = DAY_MS + MINUTE_MS;
    await sweep();
    expect(readdirSync(incomingFolder)).toEqual(["desk2.tar"]);
  });
});

test("an image on shared storage outlives its deletion for as long as another box may be starting from it", async () => {
  const layout = withSharedBases({ ...world.layout, sharedFolder: `${world.folder}/shared` });
  mkdirSync(`${layout.basesFolder}/${rows.diId}`, { recursive: true });
  const bases = () => [{ diId: rows.diId, changedAt: new Date(systemClock.nowMs() - DAY_MS) }];
  const removed: DiId[] = [];
  const storage = {
    listBases: async () => bases(),
    removeBase: async (diId: DiId) => void removed.push(diId),
  };
  const listUsed = () => new Set<DiId>();
  const sweep = () =>
    sweepImages(
      { db: rows.node, storage, layout, listUsed, clock, log: silentLog() },
      new AbortController().signal,
    );
  await rows.owner.execute(sql`delete from di_tags`);
  await rows.owner.execute(sql`delete from dis`);
  await rows.owner.execute(sql`insert into audit_log (actor, action, subject_kind, subject_id)
    values ('test', 'image.delete', 'image', ${rows.diId})`);
  expect([await sweep(), removed]).toEqual([[], []]);
  await rows.owner.execute(sql`update audit_log set at = qvd_now() - interval '1 hour'`);
  await sweep();
  expect(removed).toEqual([rows.diId]);
});
