import { expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { ensureRolePasswords } from "./role-passwords.ts";

test("each role gets a password of its own, kept in a file that only its account reads, and the same next time", async () => {
  const folder = await mkdtemp(`${tmpdir()}/qvd-passwords-test-`);
  try {
    const first = await ensureRolePasswords(folder, {});
    expect(new Set(Object.values(first)).size).toBe(4);
    for (const password of Object.values(first)) expect(password).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect((await readdir(folder)).sort()).toEqual([
      "database-qvd_admin",
      "database-qvd_auth",
      "database-qvd_broker",
      "database-qvd_node",
    ]);
    for (const file of await readdir(folder)) {
      expect((await stat(`${folder}/${file}`)).mode & 0o777).toBe(0o400);
    }
    expect(await ensureRolePasswords(folder, {})).toEqual(first);
  } finally {
    await rm(folder, { recursive: true });
  }
});
