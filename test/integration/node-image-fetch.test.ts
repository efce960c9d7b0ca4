/** A node that has images to fetch: rows of a real database, a real web server, the real sandboxed program. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { eq, sql } from "drizzle-orm";
import { dis } from "../../src/db/schema/index.ts";
import type { DiId } from "../../src/domain/ids.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { ImageIntake } from "../../src/node/image-intake.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import type { Wake } from "../../src/wire/wake/messages.ts";
import { type FileServer, startFileServer } from "../support/file-server.ts";
import { NodeWorld } from "../support/node-world.ts";
import { makeTinyRoot, packRoot } from "../support/tiny-root.ts";

let world: NodeWorld;
let server: FileServer;
let storage: Storage;
let intake: ImageIntake;
let told: Wake[];

beforeEach(async () => {
  world = await NodeWorld.create();
  const source = `${world.folder}/source`;
  await makeTinyRoot(source);
  await packRoot(source, `${world.folder}/desk.tar`);
  server = await startFileServer(await readFile(`${world.folder}/desk.tar`));
  await mkdir(world.layout.incomingFolder, { recursive: true });
  storage = open(true);
  told = [];
  intake = start();
}, 60_000);
afterEach(async () => {
  intake.stop();
  await server[Symbol.asyncDispose]();
  await world.end();
});

function open(mayFetchPrivate: boolean): Storage {
  const { layout } = world;
  return createStorage({
    layout,
    idRangeFirst: 1_000_000,
    log: silentLog(),
    reserveBytes: 0,
    mayFetchPrivate,
  });
}

function start(): ImageIntake {
  const { layout, rows } = world;
  const deps = { db: rows.node, storage, layout, clock: systemClock, log: silentLog() };
  const started = new ImageIntake(
    { ...deps, listUsed: () => new Set(), tell: (wake) => void told.push(wake) },
    () => {},
  );
  started.start();
  return started;
}

async function enrol(fields: Partial<typeof dis.$inferInsert> = {}): Promise<DiId> {
  // New once all is said of it: the intake may look at any moment.
  const diId = await world.rows.addImage(`v${crypto.randomUUID().slice(0, 8)}`, "failed");
  await world.rows.owner
    .update(dis)
    .set({ state: "new", fileName: "desk.tar", sourceUrl: server.url, ...fields })
    .where(eq(dis.id, diId));
  intake.wake();
  return diId;
}
const read = async (diId: DiId) => (await world.rows.owner.select().from(dis).where(eq(dis.id, diId)))[0];
const becomes = (diId: DiId, state: string) =>
  waitFor(
    async () => {
      const image = await read(diId);
      return image?.state === state ? image : undefined;
    },
    { timeoutMs: 25_000 },
  );
const files = async () =>
  (await readdir(world.layout.imagesFolder)).filter((name) => name !== "incoming").sort();

describe("an image that is enrolled by its address", () => {
  test("is fetched, verified and ready, and those who watch are told", async () => {
    const diId = await enrol();
    expect(await becomes(diId, "ready")).toMatchObject({
      sizeBytes: server.content.length,
      fault: null,
      doneBytes: null,
    });
    expect(await files()).toEqual([`.${diId}.lock`, `${diId}-desk.tar`]);
    expect(told).toContainEqual({ topic: "image" });
  });

  test("shows how far it has come, and is taken up by the next process", async () => {
    server.moods.push({ do: "fall-silent", afterBytes: 1_000_000 });
    const diId = await enrol();
    const seen = await waitFor(
      async () => {
        const image = await read(diId);
        return image?.state === "fetching" && (image.doneBytes ?? 0) > 0 ? image : undefined;
      },
      { timeoutMs: 15_000 },
    );
    expect(seen?.totalBytes).toBe(server.content.length);
    await waitFor(async () => existsSync(`${world.layout.imagesFolder}/${diId}-desk.tar.part`), {
      timeoutMs: 15_000,
    });
    intake.stop();
    intake = start();
    expect(await becomes(diId, "ready")).toBeDefined();
    expect(server.ranges.at(-1)).toMatch(/^bytes=\d{5,}-$/);
  }, 60_000);

  test("is what its server has, not what lies among the incoming files under that name", async () => {
    await writeFile(`${world.layout.incomingFolder}/desk.tar`, "somebody else's");
    const diId = await enrol();
    expect(await becomes(diId, "ready")).toBeDefined();
    expect(existsSync(`${world.layout.incomingFolder}/desk.tar`)).toBe(true);
  });

  test("with another checksum than stated is refused, and nothing of it stays", async () => {
    const diId = await enrol({ statedSha256: "0".repeat(64) });
    expect((await becomes(diId, "failed"))?.fault).toContain("that was stated");
    expect(await files()).toEqual([`.${diId}.lock`]);
  });

  test("that isn't there is refused with the server's answer", async () => {
    server.moods.push({ do: "status", status: 404 });
    const diId = await enrol();
    expect((await becomes(diId, "failed"))?.fault).toContain("could not be fetched: the server answers 404");
  });

  test("from inside the site is refused, unless the box's owner allows it", async () => {
    intake.stop();
    storage = open(false);
    intake = start();
    const diId = await enrol();
    expect((await becomes(diId, "failed"))?.fault).toMatch(
      /127\.0\.0\.1 is not an address of the public internet.*QVD_IMAGE_PRIVATE_URLS/,
    );
    expect(server.ranges).toEqual([]);
  });

  test("that is deleted meanwhile is not fetched any further", async () => {
    server.moods.push({ do: "fall-silent", afterBytes: 1_000_000 });
    const diId = await enrol();
    await waitFor(async () => (await read(diId))?.state === "fetching" && server.ranges.length > 0, {
      timeoutMs: 15_000,
    });
    await world.rows.owner.delete(dis).where(eq(dis.id, diId));
    intake.wake();
    // The lock is free again once nobody is at it.
    expect(
      await waitFor(() => storage.tryImageLock(diId, async () => true), { timeoutMs: 15_000 }),
    ).toBeDefined();
    expect(existsSync(`${world.layout.imagesFolder}/${diId}-desk.tar`)).toBe(false);
  });

  test("is left alone while another box has its lock", async () => {
    const held = Promise.withResolvers<void>();
    let diId: DiId | undefined;
    await Promise.all([
      world.rows.addImage("locked", "new").then(async (made) => {
        diId = made;
        const holding = open(true).tryImageLock(made, () => held.promise);
        await world.rows.owner
          .update(dis)
          .set({ fileName: "desk.tar", sourceUrl: server.url })
          .where(eq(dis.id, made));
        intake.wake();
        const other = await enrol();
        expect(await becomes(other, "ready")).toBeDefined();
        expect((await read(made))?.state).toBe("new");
        held.resolve();
        await holding;
      }),
    ]);
    intake.wake();
    expect(await becomes(diId ?? world.rows.diId, "ready")).toBeDefined();
  }, 60_000);
});

describe("what an image must be", () => {
  test("is said by its OSF: an archive is no disk, and a disk no archive", async () => {
    await writeFile(`${world.layout.incomingFolder}/a.qcow2`, makeDisk());
    await writeFile(`${world.layout.incomingFolder}/b.qcow2`, makeDisk());
    const disk = await enrol({ fileName: "a.qcow2", sourceUrl: null, kind: "disk" });
    expect(await becomes(disk, "ready")).toBeDefined();
    const wrong = await enrol({ fileName: "b.qcow2", sourceUrl: null });
    expect((await becomes(wrong, "failed"))?.fault).toMatch(
      /it is a disk image \(qcow2\), and desktops of this OS flavour are containers/,
    );
    const other = await enrol({ kind: "disk" });
    expect((await becomes(other, "failed"))?.fault).toMatch(
      /it is a tar archive, and desktops of this OS flavour are virtual machines/,
    );
  });
});

test("a file that may lie with another box is left to that for a while", async () => {
  await world.rows.addNode("other");
  const diId = await enrol({ sourceUrl: null });
  await enrol();
  await waitFor(() => told.length > 1, { timeoutMs: 15_000 });
  expect((await read(diId))?.state).toBe("new");
  await world.rows.owner
    .update(dis)
    .set({ stateAt: sql`qvd_now() - interval '10 minutes'` })
    .where(eq(dis.id, diId));
  intake.wake();
  expect((await becomes(diId, "failed"))?.fault).toContain("no file desk.tar among the incoming");
});

/** The smallest qcow2 that says of itself that it is whole. */
function makeDisk(): Uint8Array {
  const bytes = Buffer.alloc(256 * 1024);
  bytes.write("QFI\u00fb", "latin1");
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(2n ** 30n, 24);
  bytes.writeUInt32BE(2, 36);
  bytes.writeBigUInt64BE(196_608n, 40);
  bytes.writeUInt32BE(104, 100);
  return new Uint8Array(bytes);
}
