/** Forms that are refused say why, beside what it is about. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type AdminApp,
  createAdminApp,
  getPage,
  ORIGIN,
  postForm,
  type SignedInAs,
} from "../support/admin-app.ts";

let admin: AdminApp;
let me: SignedInAs;

beforeAll(async () => {
  admin = await createAdminApp();
  me = await admin.signIn("admin");
});
afterAll(() => admin.stop());

async function submit(path: string, fields: Readonly<Record<string, string>>) {
  const response = await postForm(admin, path, me, fields);
  return { status: response.status, text: await response.text() };
}

describe("the form of a new OS flavour", () => {
  const made = async (name: string) => {
    const owner = admin.database.open("qvd_owner").sql;
    return (await owner`select home_mb, system_mb from osfs where name = ${name}`)[0];
  };

  test("proposes limits for its disks, which whoever clears them does without", async () => {
    const page = await (await getPage(admin, "/images/osf/new", me)).text();
    expect(page.match(/value="10240"/g)).toHaveLength(2);
    const fields = { tenantId: "1", memoryMb: "512", cpus: "1", hypervisor: "lxc" };
    const limits = { homeMb: "10240", systemMb: "10240" };
    expect((await submit("/images/osf", { ...fields, ...limits, name: "bounded" })).status).toBe(303);
    expect(await made("bounded")).toEqual({ home_mb: 10_240, system_mb: 10_240 });
    const cleared = { ...fields, homeMb: "", systemMb: "", name: "boundless" };
    expect((await submit("/images/osf", cleared)).status).toBe(303);
    expect(await made("boundless")).toEqual({ home_mb: null, system_mb: null });
  });

  test("isn't refused for a proposal that virtual machines can't have", async () => {
    const fields = { tenantId: "1", memoryMb: "512", cpus: "1", hypervisor: "kvm", homeMb: "10240" };
    expect((await submit("/images/osf", { ...fields, systemMb: "10240", name: "vms" })).status).toBe(303);
    expect(await made("vms")).toEqual({ home_mb: 10_240, system_mb: null });
    const own = await submit("/images/osf", { ...fields, systemMb: "20480", name: "more" });
    expect(own.status).toBe(422);
  });
});

describe("a refused form", () => {
  test("says of a list from which nothing was chosen that something must be", async () => {
    const { status, text } = await submit("/images/osf", { tenantId: "", name: "new", memoryMb: "512" });
    expect(status).toBe(422);
    expect(text).toContain("Must be chosen.");
    expect(text).not.toContain("2147483647");
  });

  test("tells of whichever tag is none, when publishing", async () => {
    for (const fields of [{ default: "move", tags: "fine bad*tag" }, { tags: "bad*tag" }]) {
      const { status, text } = await submit("/images/2/publish", fields);
      expect(status).toBe(422);
      expect(text).toContain("Must be 1 to 64 of A-Z a-z 0-9");
      expect(text).toContain("bad*tag");
    }
  });

  test("that can't be read is its sender's mistake", async () => {
    const response = await admin.app.request(`${ORIGIN}/theme`, {
      method: "POST",
      headers: { Cookie: me.cookie, Origin: ORIGIN, "Content-Type": "multipart/form-data" },
      body: "no boundary",
    });
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("The form can&#39;t be read");
  });

  test("deleting an image that is in use offers only the way back", async () => {
    const asked = await (await getPage(admin, "/images/2/delete", me)).text();
    expect(asked).toContain("can&#39;t be deleted");
    expect(asked).toContain("Back to office 2026-10-01");
    expect(asked).not.toContain("Delete the image");
  });
});

test("the way to the nodes is shown to administrators of the site alone", async () => {
  const ofTenant = await (await getPage(admin, "/", await admin.signIn("acme-admin"))).text();
  expect(ofTenant).not.toContain('href="/nodes"');
  expect(await (await getPage(admin, "/", me)).text()).toContain('href="/nodes"');
});
