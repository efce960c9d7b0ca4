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
