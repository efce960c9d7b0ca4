import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { and, eq } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { dis, diTags, vmReports } from "../../src/db/schema/index.ts";
import type { DiId } from "../../src/domain/ids.ts";
import { isAppError } from "../../src/lib/errors.ts";
import type { Context } from "../../src/service/context.ts";
import { blockImage } from "../../src/service/image/block.ts";
import { deleteImage } from "../../src/service/image/delete.ts";
import { enrolImage } from "../../src/service/image/enrol.ts";
import { moveTag } from "../../src/service/image/move-tag.ts";
import { removeTag } from "../../src/service/image/remove-tag.ts";
import { unblockImage } from "../../src/service/image/unblock.ts";
import { fieldErrors } from "../../src/service/input.ts";
import { changeVm } from "../../src/service/vm/change.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

let database: TestDatabase;
let owner: Db;
let admin: Context;
let seed: Seed;
let count = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.open("qvd_owner").orm;
}, 120_000);
afterAll(() => database.drop());
beforeEach(async () => {
  seed = await seedSite(owner, { tenant: `tenant${++count}` });
  admin = { db: database.open("qvd_admin").orm, actor: seed.tenantAdministrator };
});

const enrol = (version?: string) =>
  enrolImage(admin, {
    osfId: seed.osfId,
    fileName: `tenant-${seed.tenantId}.next.tar.zst`,
    ...(version === undefined ? {} : { version }),
  });
const enrolReady = async (version: string) => {
  const { diId } = await enrol(version);
  await owner.update(dis).set({ state: "ready" }).where(eq(dis.id, diId));
  return diId;
};
const holder = async (tag: string): Promise<DiId | undefined> =>
  (
    await owner
      .select()
      .from(diTags)
      .where(and(eq(diTags.osfId, seed.osfId), eq(diTags.tag, tag)))
  )[0]?.diId;
const refusal = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "done",
    (error) => (isAppError(error) ? `${error.code}: ${error.message}` : `${error}`),
  );

describe("enrolling", () => {
  test("makes a new image that a node is to verify, its version a tag that stays", async () => {
    const { diId } = await enrol("2.0");
    const [image] = await owner.select().from(dis).where(eq(dis.id, diId));
    expect(image).toMatchObject({ state: "new", version: "2.0", sha256: null });
    expect(image?.fileName).toBe(`tenant-${seed.tenantId}.next.tar.zst`);
    expect(await holder("2.0")).toBe(diId);
    expect(await holder("default")).toBe(seed.diId);
  });

  test("without a version takes the day and a number", async () => {
    const day = new Date().toISOString().slice(0, 10);
    expect((await enrol()).version).toBe(`${day}-000`);
    expect((await enrol()).version).toBe(`${day}-001`);
  });

  test.each(["../etc/passwd", "a/b.tar", ".hidden", "", "a b", "x".repeat(129)])(
    "refuses the file name %p",
    async (fileName) => {
      const error = await enrolImage(admin, { osfId: seed.osfId, fileName }).catch((caught) => caught);
      expect(Object.keys(fieldErrors(error))).toEqual(["fileName"]);
    },
  );

  test("refuses a version that is there, also as a tag", async () => {
    expect(await refusal(enrol("1.0"))).toStartWith("conflict: the OSF has an image or a tag 1.0 already");
    await moveTag(admin, { diId: seed.diId, tag: "beta" });
    expect(await refusal(enrol("beta"))).toStartWith("conflict: the OSF has an image or a tag beta");
  });
});

describe("a tag", () => {
  test("moves from image to image and back", async () => {
    const next = await enrolReady("2.0");
    expect(await moveTag(admin, { diId: next, tag: "default" })).toEqual({ movedFrom: seed.diId });
    expect(await holder("default")).toBe(next);
    expect(await moveTag(admin, { diId: seed.diId, tag: "default" })).toEqual({ movedFrom: next });
    expect(await holder("default")).toBe(seed.diId);
  });

  test.each(["new", "verifying", "failed"] as const)("doesn't move to an image that is %s", async (state) => {
    const { diId } = await enrol("2.0");
    await owner.update(dis).set({ state }).where(eq(dis.id, diId));
    expect(await refusal(moveTag(admin, { diId, tag: "default" }))).toStartWith("conflict: ");
    expect(await holder("default")).toBe(seed.diId);
  });

  test("that is a version neither moves nor goes", async () => {
    const next = await enrolReady("2.0");
    expect(await refusal(moveTag(admin, { diId: next, tag: "1.0" }))).toContain("can't be moved");
    expect(await refusal(removeTag(admin, { diId: next, tag: "2.0" }))).toContain("can't be removed");
  });

  test("goes only when no desktop starts from it", async () => {
    expect(await refusal(removeTag(admin, { diId: seed.diId, tag: "default" }))).toContain(
      "used by 2 desktops",
    );
    await moveTag(admin, { diId: seed.diId, tag: "beta" });
    await removeTag(admin, { diId: seed.diId, tag: "beta" });
    expect(await holder("beta")).toBeUndefined();
    expect(await refusal(removeTag(admin, { diId: seed.diId, tag: "beta" }))).toStartWith("not-found");
  });

  test("that two move at once ends on one of them", async () => {
    const images = [await enrolReady("2.0"), await enrolReady("3.0")];
    await Promise.all(images.map((diId) => moveTag(admin, { diId, tag: "default" })));
    expect(images).toContain((await holder("default")) ?? seed.diId);
  });
});

describe("deleting an image", () => {
  test("is refused while it carries a tag, is named, or runs", async () => {
    expect(await refusal(deleteImage(admin, { diId: seed.diId }))).toContain("it carries the tag default");
    const next = await enrolReady("2.0");
    await moveTag(admin, { diId: next, tag: "default" });
    await changeVm(admin, { vmId: seed.bob.vmId, diTag: "1.0" });
    expect(await refusal(deleteImage(admin, { diId: seed.diId }))).toContain("start from this version");
    await changeVm(admin, { vmId: seed.bob.vmId, diTag: "default" });
    const running = { vmId: seed.alice.vmId, epoch: 1, state: "running", diId: seed.diId } as const;
    await owner.insert(vmReports).values(running);
    expect(await refusal(deleteImage(admin, { diId: seed.diId }))).toContain("1 desktops run on it");
    await owner.update(vmReports).set({ state: "stopped" }).where(eq(vmReports.vmId, seed.alice.vmId));
    expect(await refusal(deleteImage(admin, { diId: seed.diId }))).toBe("done");
    expect(await owner.$count(dis, eq(dis.id, seed.diId))).toBe(0);
    // The desktop that ran on it last forgets which it was.
    const [report] = await owner.select().from(vmReports).where(eq(vmReports.vmId, seed.alice.vmId));
    expect(report?.diId).toBeNull();
  });
});

test("blocking an image is undone by unblocking", async () => {
  const read = async () => (await owner.select().from(dis).where(eq(dis.id, seed.diId)))[0]?.isBlocked;
  await blockImage(admin, { diId: seed.diId });
  expect(await read()).toBe(true);
  await unblockImage(admin, { diId: seed.diId });
  expect(await read()).toBe(false);
});
