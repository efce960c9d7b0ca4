/** What the storage promises, seen from inside a real container: limits, kept folders, and becoming root. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { asId, type DiId } from "../../src/domain/ids.ts";
import { listKeptBinds } from "../../src/domain/image/kept-folder.ts";
import { keptFolder, vmLayout } from "../../src/domain/node/layout.ts";
import type { ContainerSpec } from "../../src/hypervisor/driver.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { MountRequest } from "../../src/storage/mount-desktop.ts";
import { createStorage, type StorageDriver } from "../../src/storage/storage.ts";
import { createDesktopLab, type DesktopLab, LAB_ID_FIRST } from "../support/desktop-lab.ts";
import { listLoops } from "../support/disk-lab.ts";

const SCRIPT = "trap 'exit 0' TERM\nwhile :; do sleep 0.1; done\n";
const IMAGE = asId<DiId>(1);

let lab: DesktopLab;
beforeAll(async () => {
  lab = await createDesktopLab("stoc", "10.244.0.0/24");
}, 180_000);
afterAll(() => lab.dispose(), 180_000);

type Keeps = Omit<MountRequest, "vmId" | "diId" | "slot">;

/** One life: what the script says inside, and nothing left afterwards. */
async function live(spec: ContainerSpec, driver: StorageDriver, made: { keeps: Keeps; script: string }) {
  const { layout } = lab;
  const storage = createStorage({
    ...{ layout, driver, idRangeFirst: LAB_ID_FIRST, log: silentLog(), reserveBytes: 0 },
  });
  const { vmId } = spec;
  await storage.mountDesktop({ vmId, diId: IMAGE, slot: vmId, ...made.keeps });
  const binds = listKeptBinds(made.keeps.keptFolders ?? []).map(({ path, name }) => ({
    source: `${vmLayout(layout, vmId).kept}/${name}`,
    path,
  }));
  await lab.hypervisor.start({ ...spec, binds }, new AbortController().signal);
  const isIn = () =>
    lab.inGuest(vmId, "true").then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );
  expect(await waitFor(isIn, { timeoutMs: 30_000 })).toBe(true);
  const said = await lab.inGuest(vmId, made.script);
  await lab.hypervisor.kill(vmId);
  const isDead = async () => (await lab.hypervisor.observe()).get(vmId)?.isAlive !== true;
  expect(await waitFor(isDead, { timeoutMs: 30_000 })).toBe(true);
  await lab.hypervisor.cleanUp(vmId);
  await storage.unmountDesktop(vmId);
  return said;
}

test("a limit is what df says inside, and where writing ends; chosen folders are there again", async () => {
  const spec = await lab.prepareScript(SCRIPT);
  const keeps = {
    persistence: "folders",
    keptFolders: ["/tmp", "/var/log"],
    homeMb: 40,
    systemMb: 60,
  } as const;
  const first = await live(spec, "overlay", {
    keeps,
    script: `df -m --output=size /home /var; df --output=fstype /tmp
      for folder in /home /var; do dd if=/dev/zero of=$folder/big bs=1M count=100 2>&1 | grep -o "No space left on device"; done
      stat -c %a /tmp; echo mine >/tmp/note && echo kept >/var/log/note`,
  });
  const [homeMb, systemMb] = [...first.stdout.matchAll(/^ +(\d+)$/gm)].map((match) => Number(match[1]));
  expect(homeMb).toBeLessThanOrEqual(40);
  expect(systemMb).toBeLessThanOrEqual(60);
  expect(first.stdout).toMatch(/ext4\nNo space left on device\nNo space left on device\n1777\n$/);
  const second = await live(spec, "overlay", { keeps, script: "cat /tmp/note /var/log/note; ls /var" });
  expect(second.stdout).toBe("mine\nkept\nlog\n");
}, 180_000);

test.each(["overlay", "copy"] as const)(
  "with %s, people become root by setuid programs of the system, not of their home",
  async (driver) => {
    const spec = await lab.prepareScript(SCRIPT);
    const script =
      "cp /usr/bin/su /home/su && chmod 4755 /home/su && stat -c %a /usr/bin/su; grep ' /home ' /proc/mounts | grep -o nosuid; grep ' / ' /proc/mounts | grep -c nosuid";
    for (const keeps of [{}, { persistence: "everything", systemMb: 60 } as const]) {
      const said = await live(spec, driver, { keeps, script });
      expect(said.stdout).toBe("4755\nnosuid\n0\n");
    }
  },
  180_000,
);

test("a desktop that was started meanwhile keeps nothing of another open", async () => {
  const [one, two] = [await lab.prepareScript(SCRIPT), await lab.prepareScript(SCRIPT)];
  for (const spec of [one, two]) {
    await lab.storage.mountDesktop({ vmId: spec.vmId, diId: IMAGE, slot: spec.vmId, homeMb: 40 });
    await lab.hypervisor.start(spec, new AbortController().signal);
    const isIn = () => lab.inGuest(spec.vmId, "true").then(({ exitCode }) => exitCode === 0);
    expect(await waitFor(isIn, { timeoutMs: 30_000 })).toBe(true);
  }
  for (const { vmId } of [one, two]) {
    await lab.hypervisor.kill(vmId);
    const isDead = async () => (await lab.hypervisor.observe()).get(vmId)?.isAlive !== true;
    expect(await waitFor(isDead, { timeoutMs: 30_000 })).toBe(true);
    await lab.hypervisor.cleanUp(vmId);
    await lab.storage.unmountDesktop(vmId);
    expect(await listLoops(`${lab.layout.homesFolder}/${vmId}.img`)).toEqual([]);
  }
}, 180_000);

test("a link that a desktop lays into a folder it keeps leads its next life nowhere on the host", async () => {
  const spec = await lab.prepareScript(SCRIPT);
  const outside = await mkdtemp("/var/tmp/qvd-kept-");
  await chmod(outside, 0o777);
  const before = { persistence: "folders", keptFolders: ["/srv"] } as const;
  await live(spec, "overlay", { keeps: before, script: "true" });
  const kept = `${keptFolder(lab.layout, spec.vmId)}/folders/srv`;
  await symlink(`${outside}/made`, `${kept}/in`);
  await symlink(outside, `${kept}/on`);
  for (const folder of ["/srv/in", "/srv/on", "/srv/on/deeper"]) {
    const keeps = { persistence: "folders", keptFolders: ["/srv", folder] } as const;
    const next = live(spec, "overlay", { keeps, script: `touch ${folder}/new` });
    await expect(next).rejects.toThrow(/LXC refused: .*was a symbolic link/);
    await lab.hypervisor.cleanUp(spec.vmId);
    await lab.storage.unmountDesktop(spec.vmId);
  }
  expect((await readdir(outside, { recursive: true })).filter((name) => name.endsWith("new"))).toEqual([]);
  await rm(outside, { recursive: true });
}, 180_000);
