import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { openSecret, sealSecret } from "../../wire/setting/sealed-secret.ts";
import { ensureSettingsKey, readSettingsKey } from "./settings-key.ts";

const folder = mkdtempSync(`${tmpdir()}/qvd-key-`);
afterAll(() => rmSync(folder, { recursive: true }));
const keys = { settingsKey: `${folder}/settings.key`, settingsPublicKey: `${folder}/settings.pub` };
const use = { name: "a", bound: {} };

test("a box has a key pair from its first start on, whose secret half is auth's alone", async () => {
  await ensureSettingsKey(keys, 4_711);
  expect(statSync(keys.settingsKey)).toMatchObject({ uid: 4_711, gid: 0, mode: 0o100400 });
  expect(statSync(keys.settingsPublicKey)).toMatchObject({ uid: 0, mode: 0o100644 });
  const sealed = sealSecret(await readSettingsKey(keys.settingsPublicKey), use, "s3cret");
  expect(openSecret(await readSettingsKey(keys.settingsKey), use, sealed)).toBe("s3cret");
});

test("what is there is kept, and a public half that is missing or strange is made anew", async () => {
  const before = readFileSync(keys.settingsKey, "utf8");
  const publicHalf = readFileSync(keys.settingsPublicKey, "utf8");
  writeFileSync(keys.settingsPublicKey, "something else");
  await ensureSettingsKey(keys, 4_711);
  expect(readFileSync(keys.settingsKey, "utf8")).toBe(before);
  expect(readFileSync(keys.settingsPublicKey, "utf8")).toBe(publicHalf);
});

test("a file that is missing or holds no key is refused by name, with what to do", async () => {
  await expect(readSettingsKey(`${folder}/none`)).rejects.toThrow("qvd box prepare");
  writeFileSync(`${folder}/short`, "YWJj\n");
  await expect(readSettingsKey(`${folder}/short`)).rejects.toThrow(`${folder}/short does not hold a key`);
});
