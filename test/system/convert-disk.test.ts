/** What a hostile disk image can reach while the host copies it, when its first bytes were others when they were looked at. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { runOk } from "../../src/lib/run.ts";
import { convertDisk } from "../../src/storage/convert-disk.ts";

const SECRET = "only root reads this of the host";
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-convert-");
  await writeFile(`${scratch}/secret`, SECRET.padEnd(512), { mode: 0o600 });
});
afterAll(() => rm(scratch, { recursive: true }));

const copyOf = (name: string) => ({
  ...{ from: `${scratch}/${name}`, to: `${scratch}/${name}.copy`, format: "qcow2" as const },
  ...{ timeoutMs: 30_000, mostBytes: 2 ** 30 },
});
const make = (...words: readonly string[]) =>
  runOk("making", ["/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", ...words]);

test("a whole image is copied, for root alone", async () => {
  await writeFile(`${scratch}/raw`, "an image's first bytes".padEnd(512));
  await runOk("making", ["/usr/bin/qemu-img", "convert", "-O", "qcow2", `${scratch}/raw`, `${scratch}/good`]);
  await convertDisk("copying", copyOf("good"));
  await runOk("comparing", ["/usr/bin/qemu-img", "compare", "-q", `${scratch}/good`, `${scratch}/good.copy`]);
  expect((await stat(`${scratch}/good.copy`)).mode & 0o777).toBe(0o600);
});

test("an image that unfolds to more than there is room for is stopped at its bound", async () => {
  await runOk("making", ["/usr/bin/dd", "if=/dev/urandom", `of=${scratch}/large`, "bs=1M", "count=8"]);
  await runOk("making", ["/usr/bin/qemu-img", "convert", "-O", "qcow2", `${scratch}/large`, `${scratch}/8M`]);
  const copy = { ...copyOf("8M"), mostBytes: 2 ** 20 };
  await expect(convertDisk("copying", copy)).rejects.toMatchObject({ code: "storage-full" });
  expect((await stat(copy.to)).size).toBeLessThanOrEqual(2 ** 20);
});

test("a backing file brings nothing of the host's along", async () => {
  await make("-b", `${scratch}/secret`, "-F", "raw", `${scratch}/backed`);
  await expect(convertDisk("copying", copyOf("backed"))).rejects.toThrow(/Could not open/);
  expect(await readFile(`${scratch}/backed.copy`, "latin1")).not.toContain(SECRET);
});

test("an external data file brings nothing along, and nothing is written to one", async () => {
  await make("-o", `data_file=${scratch}/data,data_file_raw=on`, `${scratch}/outside`, "512");
  await writeFile(`${scratch}/data`, SECRET.padEnd(512));
  await expect(convertDisk("copying", copyOf("outside"))).rejects.toThrow(/Could not open/);
  expect(await readFile(`${scratch}/outside.copy`, "latin1")).not.toContain(SECRET);
});
