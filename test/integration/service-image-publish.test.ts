/** An image's way from enrolment to retirement, and what it means for the desktops that follow its tags. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { and, desc, eq } from "drizzle-orm";
import type { Db } from "../../src/db/client.ts";
import { auditLog, dis, diTags, osfs, vmReports, vms } from "../../src/db/schema/index.ts";
import type { DiId, VmId } from "../../src/domain/ids.ts";
import { isAppError } from "../../src/lib/errors.ts";
import type { Context } from "../../src/service/context.ts";
import { blockImage } from "../../src/service/image/block.ts";
import { deleteImage } from "../../src/service/image/delete.ts";
import { enrolImage } from "../../src/service/image/enrol.ts";
import { moveTag } from "../../src/service/image/move-tag.ts";
import { publishImage } from "../../src/service/image/publish.ts";
import { removeTag } from "../../src/service/image/remove-tag.ts";
import { retireImage } from "../../src/service/image/retire.ts";
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

const enrolReady = async (version: string): Promise<DiId> => {
  const { diId } = await enrolImage(admin, {
    ...{ osfId: seed.osfId, fileName: `tenant-${seed.tenantId}.next.tar`, version },
  });
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
const readImage = async (diId: DiId) => (await owner.select().from(dis).where(eq(dis.id, diId)))[0];
const refusal = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "done",
    (error) => (isAppError(error) ? `${error.code}: ${error.message}` : `${error}`),
  );
const run = async (vmId: VmId, diId: DiId) => {
  await owner
    .insert(vmReports)
    .values({ vmId, epoch: 1, state: "running", diId })
    .onConflictDoUpdate({ target: vmReports.vmId, set: { state: "running", diId } });
};
/** Seconds until the desktop is asked, and is made, to restart. */
const expiry = async (vmId: VmId) => {
  const [vm] = await owner.select().from(vms).where(eq(vms.id, vmId));
  const inSeconds = (at: Date | null | undefined) =>
    at === null || at === undefined ? undefined : Math.round((at.getTime() - Date.now()) / 60_000) * 60;
  return [inSeconds(vm?.expiresSoftAt), inSeconds(vm?.expiresHardAt)];
};

describe("publishing", () => {
  test("gives the image head, and default only when it is asked for or nobody's", async () => {
    const second = await enrolReady("2.0");
    expect(await publishImage(admin, { diId: second })).toEqual({ tags: ["head"] });
    expect([await holder("head"), await holder("default")]).toEqual([second, seed.diId]);
    const third = await enrolReady("3.0");
    await publishImage(admin, { diId: third, tags: ["default", "pilot"] });
    expect([await holder("head"), await holder("default"), await holder("pilot")]).toEqual([
      third,
      third,
      third,
    ]);
    expect((await readImage(third))?.publishedAt).toBeInstanceOf(Date);
    const [row] = await owner
      .select()
      .from(auditLog)
      .where(eq(auditLog.action, "image.publish"))
      .orderBy(desc(auditLog.id));
    expect(row).toMatchObject({ subjectId: third, detail: { tags: ["head", "default", "pilot"] } });
  });

  test("gives default to the first image of an OSF", async () => {
    await owner.delete(diTags).where(and(eq(diTags.osfId, seed.osfId), eq(diTags.tag, "default")));
    expect(await publishImage(admin, { diId: seed.diId })).toEqual({ tags: ["head", "default"] });
  });

  test.each(["new", "fetching", "verifying", "failed"] as const)(
    "is refused for an image that is %s",
    async (state) => {
      const diId = await enrolReady("2.0");
      await owner.update(dis).set({ state }).where(eq(dis.id, diId));
      expect(await refusal(publishImage(admin, { diId }))).toMatch(
        /^conflict: image desktop 2.0 can't be published/,
      );
      expect(await holder("head")).toBeUndefined();
    },
  );

  test("is refused for a blocked image, and for tags that are versions", async () => {
    const diId = await enrolReady("2.0");
    expect(await refusal(publishImage(admin, { diId, tags: ["1.0"] }))).toContain("can't be moved");
    await blockImage(admin, { diId });
    expect(await refusal(publishImage(admin, { diId }))).toContain("it is blocked");
    expect((await readImage(diId))?.publishedAt).toBeNull();
  });

  test("is refused to whoever has no right to it", async () => {
    const diId = await enrolReady("2.0");
    const stranger = { db: admin.db, actor: seed.aliceActor };
    expect(await refusal(publishImage(stranger, { diId }))).toStartWith("forbidden");
    expect(await refusal(retireImage(stranger, { diId }))).toStartWith("forbidden");
  });
});

describe("a desktop that runs on what its tag no longer leads to", () => {
  beforeEach(async () => {
    await owner
      .update(osfs)
      .set({ expirySoftSeconds: 3600, expiryHardSeconds: 86_400 })
      .where(eq(osfs.id, seed.osfId));
    await run(seed.alice.vmId, seed.diId);
  });

  test("is given the OSF's times; those that are stopped, or follow another tag, are not", async () => {
    const next = await enrolReady("2.0");
    await publishImage(admin, { diId: next });
    expect(await expiry(seed.alice.vmId)).toEqual([undefined, undefined]);
    await run(seed.bob.vmId, seed.diId);
    await changeVm(admin, { vmId: seed.bob.vmId, diTag: "head" });
    await publishImage(admin, { diId: next, tags: ["default"] });
    expect(await expiry(seed.alice.vmId)).toEqual([3600, 86_400]);
    expect(await expiry(seed.bob.vmId)).toEqual([3600, 86_400]);
    await owner.update(vmReports).set({ state: "stopped" }).where(eq(vmReports.vmId, seed.bob.vmId));
    await owner
      .update(vms)
      .set({ expiresSoftAt: null, expiresHardAt: null })
      .where(eq(vms.id, seed.bob.vmId));
    await publishImage(admin, { diId: next, tags: ["default"] });
    expect(await expiry(seed.bob.vmId)).toEqual([undefined, undefined]);
  });

  test("keeps the earlier date when more is published", async () => {
    await moveTag(admin, { diId: await enrolReady("2.0"), tag: "default" });
    await owner
      .update(osfs)
      .set({ expirySoftSeconds: 7200, expiryHardSeconds: 7200 })
      .where(eq(osfs.id, seed.osfId));
    await moveTag(admin, { diId: await enrolReady("3.0"), tag: "default" });
    expect(await expiry(seed.alice.vmId)).toEqual([3600, 7200]);
  });

  test("is given nothing that its OSF doesn't define", async () => {
    await owner.update(osfs).set({ expirySoftSeconds: null }).where(eq(osfs.id, seed.osfId));
    await publishImage(admin, { diId: await enrolReady("2.0"), tags: ["default"] });
    expect(await expiry(seed.alice.vmId)).toEqual([undefined, 86_400]);
  });

  test("has nothing to wait for once the tag is moved back", async () => {
    await publishImage(admin, { diId: await enrolReady("2.0"), tags: ["default"] });
    await moveTag(admin, { diId: seed.diId, tag: "default" });
    expect(await expiry(seed.alice.vmId)).toEqual([undefined, undefined]);
  });
});

describe("an image that leaves", () => {
  test.each([
    ["retired", retireImage],
    ["deleted", deleteImage],
  ] as const)("by being %s hands head and default to the one published before", async (_how, leave) => {
    await publishImage(admin, { diId: seed.diId });
    const [older, newer] = [await enrolReady("2.0"), await enrolReady("3.0")];
    await publishImage(admin, { diId: older });
    await publishImage(admin, { diId: newer, tags: ["default"] });
    await leave(admin, { diId: newer });
    expect([await holder("head"), await holder("default")]).toEqual([older, older]);
  });

  test.each([
    ["retired", retireImage],
    ["deleted", deleteImage],
  ] as const)(
    "can't be %s while it carries a tag of its own, or is the last that desktops can have",
    async (how, leave) => {
      await publishImage(admin, { diId: seed.diId, tags: ["pilot"] });
      expect(await refusal(leave(admin, { diId: seed.diId }))).toBe(
        `conflict: image desktop 1.0 can't be ${how}: it carries the tag pilot; move it to another image or remove it first`,
      );
      await removeTag(admin, { diId: seed.diId, tag: "pilot" });
      expect(await refusal(leave(admin, { diId: seed.diId }))).toContain(
        "the tag default, which 2 desktops follow",
      );
      expect(await holder("default")).toBe(seed.diId);
    },
  );

  test("hands nothing to one that is blocked, retired or was never published", async () => {
    const [blocked, retired] = [await enrolReady("2.0"), await enrolReady("3.0")];
    await enrolReady("4.0");
    for (const diId of [blocked, retired, seed.diId]) await publishImage(admin, { diId });
    await blockImage(admin, { diId: blocked });
    await retireImage(admin, { diId: retired });
    expect(await refusal(deleteImage(admin, { diId: seed.diId }))).toContain("no other image is published");
  });

  test("retired takes no tag until it is published again; what runs on it goes on", async () => {
    await publishImage(admin, { diId: seed.diId });
    await run(seed.alice.vmId, seed.diId);
    const next = await enrolReady("2.0");
    await publishImage(admin, { diId: next, tags: ["default"] });
    await retireImage(admin, { diId: seed.diId });
    expect(await refusal(moveTag(admin, { diId: seed.diId, tag: "default" }))).toContain("it is retired");
    expect(await refusal(deleteImage(admin, { diId: seed.diId }))).toContain("1 desktops run on it");
    await publishImage(admin, { diId: seed.diId, tags: ["default"] });
    expect((await readImage(seed.diId))?.retiredAt).toBeNull();
    expect(await holder("default")).toBe(seed.diId);
  });

  test("that was never published is deleted, not retired", async () => {
    const diId = await enrolReady("2.0");
    expect(await refusal(retireImage(admin, { diId }))).toContain("was never published");
    expect(await refusal(deleteImage(admin, { diId }))).toBe("done");
  });
});

test("head and default are moved, never removed", async () => {
  await publishImage(admin, { diId: seed.diId });
  expect(await refusal(removeTag(admin, { diId: seed.diId, tag: "head" }))).toContain("can only be moved");
});

describe("enrolling from an address", () => {
  const enrol = (fields: object) => enrolImage(admin, { osfId: seed.osfId, ...fields });

  test("notes where it comes from, what it must be, and a name for the file", async () => {
    const { diId } = await enrol({ sourceUrl: "https://example.org/office%208.tar.zst#x" });
    expect(await readImage(diId)).toMatchObject({
      state: "new",
      kind: "archive",
      sourceUrl: "https://example.org/office%208.tar.zst",
      fileName: "office-8.tar.zst",
    });
    await owner.update(osfs).set({ hypervisor: "kvm" }).where(eq(osfs.id, seed.osfId));
    const disk = await enrol({ fileName: `tenant-${seed.tenantId}.windows.qcow2` });
    expect((await readImage(disk.diId))?.kind).toBe("disk");
  });

  test.each([
    [{ sourceUrl: "file:///etc/shadow" }, "sourceUrl"],
    [{ sourceUrl: "https://ada:secret@example.org/x" }, "sourceUrl"],
    [{ sourceUrl: "https://example.org/x", fileName: "x.tar" }, "fileName"],
    [{}, "fileName"],
  ])("refuses %j", async (fields, field) => {
    const error = await enrol(fields).catch((caught) => caught);
    expect(Object.keys(fieldErrors(error))).toEqual([field]);
  });
});
