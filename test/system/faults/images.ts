/** Image files that are none: refused with the reason, where it is read, and never started from. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { asId, type DiId } from "../../../src/domain/ids.ts";
import { baseFolder } from "../../../src/domain/node/layout.ts";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { createBoundlessOsf } from "../../support/boundless-osf.ts";
import { packMute } from "../../support/fault-images.ts";
import { addPerson, type FaultLab } from "../../support/fault-lab.ts";
import { askOnce } from "../../support/nx-visit.ts";

const TEST_MS = 240_000;

export function testImages(lab: () => FaultLab): void {
  test(
    "that is cut off, no archive, no root file system or damaged is refused with its reason",
    async () => {
      const { box, scratch } = lab();
      const bad: readonly (readonly [string, RegExp])[] = [
        ["cut.tar.zst", /truncated/],
        ["damaged.tar.zst", /corrupt/],
        ["text.tar", /not|no /],
        ["music.tar", /no root file system/],
      ];
      await makeBadFiles(scratch);
      await box.qvdOk("osf", "create", "bad");
      for (const [index, [name, reason]] of bad.entries()) {
        const version = `v${index}`;
        const words = ["--osf", "bad", "--version", version, "--tag", "default"];
        const added = await box.qvd(["image", "add", `${scratch}/${name}`, ...words]);
        expect({ name, failed: added.exitCode !== 0 }).toEqual({ name, failed: true });
        expect(added.stderr).toMatch(reason);
        const listed = await box.qvdOk("image", "list", "--osf", "bad");
        const told = listed.split("\n").find((line) => line.startsWith(`bad:${version} failed: `));
        expect(told).toMatch(reason);
        const tagged = await box.qvd(["image", "tag", `bad:${version}`, "default"]);
        expect({ name, exitCode: tagged.exitCode }).not.toEqual({ name, exitCode: 0 });
        expect(tagged.stderr).toMatch(/it is broken/);
      }
    },
    TEST_MS,
  );

  test(
    "that is an empty file is refused, with the reason",
    async () => {
      const { box, scratch } = lab();
      await writeFile(`${scratch}/empty.tar.gz`, "");
      const added = await box.qvd([
        "image",
        "add",
        `${scratch}/empty.tar.gz`,
        "--osf",
        "bad",
        "--version",
        "e",
      ]);
      expect(added.exitCode).not.toBe(0);
      expect(added.stderr).toMatch(/empty/);
    },
    TEST_MS,
  );

  test(
    "whose file is not there, or is another one than was stated, is refused",
    async () => {
      const { box, scratch } = lab();
      const missing = await box.qvd([
        "image",
        "add",
        "nowhere.tar",
        "--osf",
        "bad",
        "--version",
        "m",
        "--incoming",
      ]);
      const sums = ["--sha256", "0".repeat(64), "--tag", "default"];
      const other = await box.qvd([
        "image",
        "add",
        `${scratch}/desktop.tar.zst`,
        "--osf",
        "bad",
        "--version",
        "s",
        ...sums,
      ]);
      expect(other.stderr).toMatch(/sha256/);
      expect(other.exitCode).not.toBe(0);
      if (missing.exitCode !== 0) expect(missing.stderr).toMatch(/nowhere\.tar/);
      else expect(await box.qvdOk("image", "list", "--osf", "bad")).toMatch(/failed: .*nowhere\.tar/);
    },
    TEST_MS,
  );

  test(
    "that went missing after its verification fails the start with the reason, and nobody else's",
    async () => {
      const { box, scratch } = lab();
      await packMute(`${scratch}/whole.tar`);
      await createBoundlessOsf(box, "lost", 256);
      const words = ["--osf", "lost", "--tag", "default", "--json"];
      const added = await box.qvdOk("image", "add", `${scratch}/whole.tar`, ...words);
      const diId = asId<DiId>(JSON.parse(added).id);
      const base = baseFolder(box.layout, diId);
      // It is unpacked in advance; a box that was moved or restored may have neither.
      expect(await waitFor(() => existsSync(base), { timeoutMs: 60_000 })).toBe(true);
      await rm(base, { recursive: true });
      await rm(`${box.layout.imagesFolder}/${diId}-whole.tar`);
      const person = await addPerson(box, "lost", "lost");
      await box.qvdOk("vm", "start", "lost-desk");
      const { status, body } = await askOnce(box.brokerPort, person);
      expect(status).toBe(503);
      expect(body).toMatch(/image/i);
      expect(await box.qvdOk("vm", "explain", "lost-desk")).toMatch(/image/i);
      expect((await askOnce(box.brokerPort, lab().alice)).status).toBe(101);
    },
    TEST_MS,
  );

  test(
    "flavour without any image says so to who wants a desktop of it",
    async () => {
      const { box } = lab();
      const person = await addPerson(box, "early", "bad");
      const { status, body } = await askOnce(box.brokerPort, person);
      expect(status).toBe(503);
      expect(body).toMatch(/image|tag/i);
      expect(await box.qvdOk("vm", "explain", "early-desk")).toMatch(/image|tag/i);
    },
    TEST_MS,
  );
}

async function makeBadFiles(scratch: string): Promise<void> {
  const whole = await Bun.file(`${scratch}/desktop.tar.zst`).arrayBuffer();
  await writeFile(`${scratch}/cut.tar.zst`, new Uint8Array(whole.slice(0, whole.byteLength >> 1)));
  await writeFile(`${scratch}/damaged.tar.zst`, new Uint8Array(whole));
  const file = await open(`${scratch}/damaged.tar.zst`, "r+");
  await file.write(crypto.getRandomValues(new Uint8Array(4096)), 0, 4096, 20_000_000);
  await file.close();
  await writeFile(`${scratch}/text.tar`, "This is no archive.\n".repeat(100));
  await mkdir(`${scratch}/music/songs`, { recursive: true });
  await writeFile(`${scratch}/music/songs/one`, "la la la\n");
  await runOk("packing music", ["tar", "-C", `${scratch}/music`, "-cf", `${scratch}/music.tar`, "."]);
}
