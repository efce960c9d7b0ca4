/** Properties through the verbs and back: what a desktop's hooks would get, who owns what, and the bounds. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Db } from "../../src/db/client.ts";
import { listAudit } from "../../src/db/queries/audit.ts";
import { listProperties, readVmProperties } from "../../src/db/queries/properties.ts";
import { MOST_PROPERTIES, type PropertyKind } from "../../src/domain/property/merge.ts";
import type { Context } from "../../src/service/context.ts";
import { setProperty } from "../../src/service/property/set.ts";
import { unsetProperty } from "../../src/service/property/unset.ts";
import { createTestDatabase, type TestDatabase } from "../support/cluster.ts";
import { type Seed, seedSite } from "../support/db-seed.ts";

let database: TestDatabase;
let admin: Db;
let node: Db;
let seed: Seed;
let site: Context;
const set = (kind: PropertyKind, id: number, pair: Readonly<Record<string, string>>) =>
  Promise.all(Object.entries(pair).map(([key, value]) => setProperty(site, { kind, id, key, value })));
const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "done",
    (error) => `${error.code}: ${error.message}`,
  );

beforeAll(async () => {
  database = await createTestDatabase();
  seed = await seedSite(database.open("qvd_owner").orm);
  admin = database.open("qvd_admin").orm;
  node = database.open("qvd_node").orm;
  site = { db: admin, actor: seed.siteAdministrator };
});
afterAll(() => database.drop());

describe("properties", () => {
  test("of a desktop are merged of its OSF, image, user and its own, and nobody else's", async () => {
    await set("osf", seed.osfId, { a: "osf", b: "osf", c: "osf", d: "osf" });
    await set("image", seed.diId, { b: "image", c: "image", d: "image" });
    await set("user", seed.alice.userId, { c: "user", d: "user" });
    await set("vm", seed.alice.vmId, { d: "vm" });
    await set("user", seed.bob.userId, { a: "bob" });
    await set("node", seed.nodeId, { a: "node" });
    expect(await readVmProperties(node, seed.alice.vmId)).toEqual({
      a: "osf",
      b: "image",
      c: "user",
      d: "vm",
    });
    expect(await readVmProperties(node, seed.bob.vmId)).toEqual({
      a: "bob",
      b: "image",
      c: "image",
      d: "image",
    });
    expect(await listProperties(node, "node", seed.nodeId)).toEqual({ a: "node" });
  });

  test("are changed by setting them again, and gone once unset", async () => {
    const subject = { kind: "vm", id: seed.bob.vmId } as const;
    await set("vm", seed.bob.vmId, { printer: "lp0" });
    await set("vm", seed.bob.vmId, { printer: "lp1" });
    expect(await listProperties(admin, "vm", seed.bob.vmId)).toEqual({ printer: "lp1" });
    await unsetProperty(site, { ...subject, key: "printer" });
    expect(await listProperties(admin, "vm", seed.bob.vmId)).toEqual({});
    expect(await failure(unsetProperty(site, { ...subject, key: "printer" }))).toStartWith("not-found");
    const audit = await listAudit(admin, { limit: 1 });
    expect(audit[0]).toMatchObject({
      action: "vm.set-property",
      detail: { key: "printer", isUnset: true },
    });
  });

  test("of a node are the site's alone", async () => {
    const tenant: Context = { db: admin, actor: seed.tenantAdministrator };
    const attempt = setProperty(tenant, { kind: "node", id: seed.nodeId, key: "rack", value: "7" });
    expect(await failure(attempt)).toStartWith("forbidden");
  });

  test("have bounds: keys, values, number, and what is QVD's own", async () => {
    const subject = { kind: "osf", id: seed.osfId } as const;
    expect(await failure(setProperty(site, { ...subject, key: "-x", value: "" }))).toStartWith(
      "bad-input: key",
    );
    expect(
      await failure(setProperty(site, { ...subject, key: "qvd.vm.user.name", value: "root" })),
    ).toContain("must not begin with qvd.");
    const link = (value: string) => failure(setProperty(site, { ...subject, key: "qvd.client.link", value }));
    expect(await link("5m")).toStartWith("bad-input: value: 5m is no value of qvd.client.link");
    expect(await link("lan")).toBe("done");
    await unsetProperty(site, { ...subject, key: "qvd.client.link" });
    const long = setProperty(site, { ...subject, key: "x", value: "v".repeat(4_097) });
    expect(await failure(long)).toStartWith("bad-input: value");
    expect(await failure(setProperty(site, { kind: "vm", id: 99_999, key: "x", value: "" }))).toStartWith(
      "not-found",
    );
    for (const key of ["long1", "long2"]) {
      const attempt = setProperty(site, { kind: "user", id: seed.bob.userId, key, value: "ü".repeat(2_000) });
      expect(await failure(attempt)).toStartWith(key === "long1" ? "done" : "conflict");
    }
    const many = Array.from({ length: MOST_PROPERTIES }, (_, index) => [`k${index}`, "v"]);
    for (const [key = "", value = ""] of many.slice(0, MOST_PROPERTIES - 3))
      await setProperty(site, { kind: "image", id: seed.diId, key, value });
    expect(
      await failure(setProperty(site, { kind: "image", id: seed.diId, key: "more", value: "" })),
    ).toContain("may have no more");
  });
});
