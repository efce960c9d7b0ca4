/** The box's disk filled to its last block from inside a desktop without limits, its database lying beside. */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { open, readFile, rm, stat, statfs } from "node:fs/promises";
import { asId, type VmId } from "../../../src/domain/ids.ts";
import { homeFolder, vmLayout } from "../../../src/domain/node/layout.ts";
import { run } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { TYPED_FILE } from "../../support/fault-images.ts";
import { addPerson, type FaultLab } from "../../support/fault-lab.ts";
import type { Person, Visit } from "../../support/nx-visit.ts";

const TEST_MS = 240_000;

export function testFilled(lab: () => FaultLab): void {
  test(
    "takes no work from others, and lets people come and go",
    async () => {
      const { box, alice } = lab();
      const limits = ["--home-limit", "64", "--system-limit", "64"];
      await box.qvdOk("osf", "create", "bounded", "--memory", "512", ...limits);
      const image = `${lab().scratch}/desktop.tar.zst`;
      await box.qvdOk("image", "add", image, "--osf", "bounded", "--tag", "default");
      const carol = await addPerson(box, "carol", "bounded");
      // What is typed goes to the window on top: one at a time. The desktop goes on without her.
      const culprit = await lab().visit(alice);
      await culprit.leave();
      const first = await lab().visit(carol);
      await proveWrite(first, carol, "before");
      const postmaster = await readPostmaster();
      const filler = await fillFrom(alice);
      try {
        await proveWrite(first, carol, "during");
        await first.leave();
        for (const word of ["again", "and", "on"]) {
          const next = await lab().visit(carol);
          await proveWrite(next, carol, word);
          await next.leave();
        }
        // Wishes, their audit rows and trails are rows too.
        await box.qvdOk("vm", "block", "carol-desk");
        await box.qvdOk("vm", "unblock", "carol-desk");
        expect(await readPostmaster()).toBe(postmaster);
      } finally {
        await rm(filler, { force: true });
      }
      const back = await lab().visit(alice);
      await lab().proveWork(back, alice);
      await back.leave();
    },
    TEST_MS,
  );

  /** What the person types arrives in their home. */
  async function proveWrite(visit: Visit, { login, vmId }: Person, word: string): Promise<void> {
    const home = vmLayout(lab().box.layout, asId<VmId>(vmId)).home;
    await visit.type(word);
    const file = `${home}/${login}/${TYPED_FILE}`;
    const isThere = async () => existsSync(file) && (await readFile(file, "utf8")).includes(word);
    if (!(await waitFor(isThere, { timeoutMs: 60_000 }))) throw new Error(`${word} did not reach ${file}`);
  }

  async function readPostmaster(): Promise<string> {
    const text = await readFile(`${lab().box.layout.databaseFolder}/cluster/postmaster.pid`, "utf8");
    return text.split("\n")[0] ?? "";
  }

  /** With no more rights than the person has; returns the file. */
  async function fillFrom({ login, vmId }: Person): Promise<string> {
    const { layout, folder } = lab().box;
    const home = `${homeFolder(layout, asId<VmId>(vmId))}/${login}`;
    const { uid, gid } = await stat(home);
    const file = await open(`${home}/filler`, "a", 0o600);
    await file.chown(uid, gid);
    for (const blockBytes of ["1M", "4k"]) {
      // Through a descriptor: nobody but root comes to the folders of homes from outside.
      const script = `exec /usr/bin/dd if=/dev/zero bs=${blockBytes} >&3`;
      const as = { uid, gid, cwd: "/", timeoutMs: 120_000, descriptor: file.fd };
      expect((await run(["/bin/sh", "-c", script], as)).stderr).toContain("No space left");
    }
    await file.close();
    expect((await statfs(folder)).bavail).toBeLessThan(256);
    return `${home}/filler`;
  }
}
