/** The box's disk fills up: starts are refused with the reason, what runs goes on, and room is all it takes. */

import { expect, test } from "bun:test";
import { copyFile, readdir, rm, statfs } from "node:fs/promises";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { createBoundlessOsf } from "../../support/boundless-osf.ts";
import { addPerson, type FaultLab } from "../../support/fault-lab.ts";
import { askOnce, type Person } from "../../support/nx-visit.ts";

const TEST_MS = 240_000;
/** What unpacking leaves free, and no other part of the product takes. */
const RESERVE = 512 * 2 ** 20;
const MB = 2 ** 20;
/** The disk is busy meanwhile. */
const SILENCE_MS = 4_000;

export function testDisk(lab: () => FaultLab): void {
  test(
    "refuses to take an image in that there is no room for",
    async () => {
      const { box, scratch } = lab();
      await box.qvdOk("osf", "create", "upload");
      await withLittleRoom(RESERVE + 20 * MB, async () => {
        const added = await box.qvd(["image", "add", `${scratch}/desktop.tar.zst`, "--osf", "upload"]);
        expect(added.exitCode).not.toBe(0);
        expect(added.stderr).toMatch(/no room for desktop\.tar\.zst/);
      });
      expect(await readdir(box.layout.incomingFolder)).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "before unpacking refuses the start with the reason, and the next try works when there is room",
    async () => {
      const { box, scratch } = lab();
      await copyFile(`${scratch}/desktop.tar.zst`, `${box.layout.incomingFolder}/before.tar.zst`);
      await expectRefusal("before", RESERVE + 20 * MB, ["before.tar.zst", "--incoming"]);
    },
    TEST_MS,
  );

  test(
    "while unpacking takes the half-unpacked image away again",
    async () => {
      // Enough for the archive beside the reserve, and not for what is in it.
      const image = `${lab().scratch}/desktop.tar.zst`;
      await expectRefusal("while", RESERVE + 80 * MB + 2 * Bun.file(image).size, [image]);
    },
    TEST_MS,
  );

  /** Leaves so many bytes for an image and a desktop of it, starts that, frees the disk, and starts it again. */
  async function expectRefusal(name: string, leaveBytes: number, image: readonly string[]): Promise<void> {
    const { box, alice } = lab();
    await createBoundlessOsf(box, name, 512);
    const visit = await lab().visit(alice);
    const startMs = performance.now();
    const person = await withLittleRoom(leaveBytes, () => expectNoRoom(name, image));
    await lab().proveWork(visit, alice);
    expect(visit.longestSilenceMs(startMs)).toBeLessThan(SILENCE_MS);
    await visit.leave();
    const next = await lab().visit(person);
    await lab().proveWork(next, person);
    await next.leave();
    const isWell = async () => !(await readProblems()).includes(`${name}:`);
    expect(await waitFor(isWell, { timeoutMs: 60_000, everyMs: 200 })).toBe(true);
  }

  async function expectNoRoom(name: string, image: readonly string[]): Promise<Person> {
    const { box } = lab();
    await box.qvdOk("image", "add", ...image, "--osf", name, "--tag", "default");
    const freeBytes = await readFree();
    const person = await addPerson(box, name, name);
    const startMs = performance.now();
    const { status, body } = await askOnce(box.brokerPort, person);
    lab().note(`disk full ${name} unpacking: refused`, startMs);
    expect({ status, body }).toEqual({ status: 503, body: expect.stringMatching(/space|full|free/i) });
    expect(await box.qvdOk("vm", "explain", `${name}-desk`)).toMatch(/space|full|free/i);
    expect(await lab().reaches(person.vmId, "stopped")).toBe(true);
    // Whoever looks at the box sees it, too.
    const isTold = async () => (await readProblems()).includes(`${name}:`);
    expect(await waitFor(isTold, { timeoutMs: 60_000, everyMs: 200 })).toBe(true);
    const isCleared = async () => (await readFree()) > freeBytes - 40 * MB;
    expect(await waitFor(isCleared, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
    return person;
  }

  /** What `qvd node status` says is wrong. */
  async function readProblems(): Promise<string> {
    const { problems } = JSON.parse((await lab().box.qvd(["node", "status", "--json"])).stdout);
    return JSON.stringify(problems);
  }

  async function withLittleRoom<T>(leaveBytes: number, work: () => Promise<T>): Promise<T> {
    const ballast = `${lab().box.folder}/ballast`;
    await runOk("filling the disk", ["fallocate", "-l", String((await readFree()) - leaveBytes), ballast]);
    try {
      return await work();
    } finally {
      await rm(ballast, { force: true });
    }
  }

  async function readFree(): Promise<number> {
    const { bavail, bsize } = await statfs(lab().box.folder);
    return bavail * bsize;
  }
}
