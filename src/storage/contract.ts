/**
 * What every way of storing desktops must do, as tests: the test file of each calls `describeStorage` with a
 * lab of its own. The fake of the node's tests passes it as the real drivers do, but for limits, which take a
 * kernel. State of the world is asserted: what the desktop finds at its next start.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import type { DiId, VmId } from "../domain/ids.ts";
import { type Layout, vmLayout } from "../domain/node/layout.ts";
import type { RunResult } from "../lib/run.ts";
import type { MountRequest } from "./mount-desktop.ts";
import type { Storage } from "./storage.ts";

export interface StorageLab {
  readonly layout: Layout;
  readonly storage: Storage;
  /** As a node has after its restart. */
  reopen(): Storage;
  /** Unpacked images: /etc/passwd is in both, /var/log/installed too. */
  readonly images: readonly [DiId, DiId];
  /** A desktop that no other test has. */
  newDesktop(): { readonly vmId: VmId; readonly slot: number };
  /** Runs a shell script as root of the desktop, with its folders in $ROOT, $HOME and $KEPT. */
  runInside(desktop: MountRequest, script: string): Promise<RunResult>;
  dispose(): Promise<void>;
}

type LabOf = () => StorageLab;

/** Without limits where there is no kernel to hold to them. */
export function describeStorage(
  name: string,
  makeLab: () => Promise<StorageLab>,
  { hasLimits } = { hasLimits: true },
): void {
  describe(`storage ${name}`, () => {
    let lab: StorageLab;
    beforeAll(async () => {
      lab = await makeLab();
    }, 120_000);
    afterAll(() => lab.dispose(), 60_000);
    describePersistence(() => lab);
    describeOneself(() => lab);
    if (hasLimits) describeLimits(() => lab);
  });
}

function describePersistence(lab: LabOf): void {
  const WRITE = 'echo mine >"$ROOT/etc/passwd" && rm "$ROOT/var/log/installed" && echo mine >"$HOME/letter"';

  test("a system is fresh at each start, and the home is as it was left", async () => {
    const desktop = newRequest(lab(), {});
    await live(lab(), desktop, WRITE);
    const found = await live(lab(), desktop, 'cat "$ROOT/etc/passwd" "$HOME/letter"; ls "$ROOT/var/log"');
    expect(found).toBe("root:x:0:0\nmine\ninstalled\n");
  });

  test("where nothing is kept the home is fresh too, and one from before lies where it lay", async () => {
    const desktop = newRequest(lab(), {});
    await live(lab(), desktop, WRITE);
    const forgetful = { ...desktop, persistence: "nothing" } as const;
    for (const _again of [1, 2])
      expect(await live(lab(), forgetful, 'ls "$HOME"; echo x >"$HOME/gone"')).toBe("");
    expect(await live(lab(), desktop, 'ls "$HOME"')).toBe("letter\n");
  });

  test("chosen folders are kept, begin with what the image has there, and others are fresh", async () => {
    const keptFolders = ["/var/log", "/srv/new", "/proc"];
    const desktop = newRequest(lab(), { persistence: "folders", keptFolders });
    const log = '"$KEPT/var%2Flog"';
    expect(
      await live(lab(), desktop, `ls ${log}; echo x >${log}/syslog; echo mine >"$ROOT/etc/passwd"`),
    ).toBe("installed\n");
    const found = await live(lab(), desktop, `ls ${log}; ls "$KEPT"; cat "$ROOT/etc/passwd"`);
    expect(found).toBe("installed\nsyslog\nsrv%2Fnew\nvar%2Flog\nroot:x:0:0\n");
  });

  test("where everything is kept the system is as it was left, by image", async () => {
    const desktop = newRequest(lab(), { persistence: "everything" });
    const look = 'cat "$ROOT/etc/passwd" "$HOME/letter"; ls "$ROOT/var/log"';
    await live(lab(), desktop, WRITE);
    expect(await live(lab(), desktop, look)).toBe("mine\nmine\n");
    const updated = { ...desktop, diId: lab().images[1] };
    expect(await live(lab(), updated, look)).toBe("root:x:0:0\nmine\ninstalled\n");
    expect(await live(lab(), desktop, look)).toBe("mine\nmine\n");
  });

  test("where everything is kept, what told of a life before is not: /run begins as the image has it", async () => {
    const desktop = newRequest(lab(), { persistence: "everything" });
    await live(
      lab(),
      desktop,
      'mkdir -p "$ROOT/run/dbus"; echo 1 >"$ROOT/run/dbus/pid"; echo x >"$ROOT/etc/own"',
    );
    expect(
      await live(lab(), desktop, 'if [ -e "$ROOT/run/dbus/pid" ]; then echo there; fi; cat "$ROOT/etc/own"'),
    ).toBe("x\n");
  });

  test("a deleted desktop's data is put aside, once, and never while it is in use", async () => {
    const desktop = newRequest(lab(), {});
    const { vmId } = desktop;
    const now = new Date("2026-03-04T05:06:07Z");
    await lab().storage.mountDesktop(desktop);
    await lab().runInside(desktop, WRITE);
    await expect(lab().storage.retireHome(vmId, now)).rejects.toMatchObject({ code: "conflict" });
    await lab().storage.unmountDesktop(vmId);
    const aside = await lab().storage.retireHome(vmId, now);
    expect(aside).toContain(`deleted-${vmId}-`);
    expect(await readdir(lab().layout.homesFolder)).toContain(aside?.split("/").at(-1) ?? "");
    expect(await lab().storage.retireHome(vmId, now)).toBeUndefined();
    expect(await live(lab(), desktop, 'ls "$HOME"')).toBe("");
  });
}

function describeOneself(lab: LabOf): void {
  test("a mounted desktop is listed, by a node made anew too, and no more once it is unmounted", async () => {
    const desktop = newRequest(lab(), {});
    const mounted = await lab().storage.mountDesktop(desktop);
    const { root, home } = vmLayout(lab().layout, desktop.vmId);
    expect(mounted).toEqual({ rootFolder: root, homeFolder: home });
    const { vmId } = desktop;
    for (const storage of [lab().storage, lab().reopen()])
      for (const only of [undefined, [vmId], [vmId, newRequest(lab(), {}).vmId]]) {
        const listed = await storage.listMounted(only);
        expect(listed.get(vmId)).toMatchObject({ hasFolder: true });
        if (only !== undefined) expect([...listed.keys()]).toEqual([vmId]);
      }
    for (const storage of [lab().reopen(), lab().storage]) await storage.unmountDesktop(desktop.vmId);
    expect((await lab().storage.listMounted()).has(desktop.vmId)).toBe(false);
    expect(await readdir(lab().layout.vmsFolder)).not.toContain(`${desktop.vmId}`);
  });

  test("mounting again without unmounting starts from nothing", async () => {
    const desktop = newRequest(lab(), {});
    await lab().storage.mountDesktop(desktop);
    await lab().runInside(desktop, 'echo mine >"$ROOT/etc/passwd"');
    expect(await live(lab(), desktop, 'cat "$ROOT/etc/passwd"')).toBe("root:x:0:0\n");
  });

  test("desktops of one image don't see each other's writing", async () => {
    const [one, two] = [newRequest(lab(), {}), newRequest(lab(), {})];
    await lab().storage.mountDesktop(one);
    await lab().runInside(one, 'echo mine >"$ROOT/etc/passwd"; echo mine >"$HOME/letter"');
    expect(await live(lab(), two, 'cat "$ROOT/etc/passwd"; ls "$HOME"')).toBe("root:x:0:0\n");
    await lab().storage.unmountDesktop(one.vmId);
  });

  test("what a desktop writes belongs to its root, in system and home", async () => {
    const desktop = newRequest(lab(), {});
    const script =
      'touch "$ROOT/etc/new" "$HOME/new" && [ -O "$ROOT/etc/new" ] && [ -O "$HOME/new" ] && echo own';
    expect(await live(lab(), desktop, script)).toBe("own\n");
  });
}

function describeLimits(lab: LabOf): void {
  const fill = (folder: string) => `head -c 60M /dev/zero >"${folder}/big"; wc -c <"${folder}/big"`;

  test.each([
    ["a home", { homeMb: 40 }, "$HOME"],
    ["a home that is not kept", { homeMb: 40, persistence: "nothing" }, "$HOME"],
    ["a system", { systemMb: 40 }, "$ROOT/var"],
    ["a system that is kept", { systemMb: 40, persistence: "everything" }, "$ROOT/var"],
  ] as const)("%s ends at its limit, and goes on once there is room", async (_what, limits, folder) => {
    const desktop = newRequest(lab(), limits);
    await lab().storage.mountDesktop(desktop);
    const full = await lab().runInside(desktop, fill(folder));
    expect(full.stderr).toMatch(/No space left|Disk quota exceeded/);
    const writtenMb = Number(full.stdout) / 2 ** 20;
    expect(writtenMb).toBeGreaterThan(20);
    expect(writtenMb).toBeLessThanOrEqual(41);
    const again = await lab().runInside(
      desktop,
      `rm "${folder}/big"; sync; echo x >"${folder}/small" && echo went on`,
    );
    expect(again.stdout).toBe("went on\n");
    await lab().storage.unmountDesktop(desktop.vmId);
  });

  test("a home grows and shrinks with its limit, and never below what is in it", async () => {
    const desktop = newRequest(lab(), { homeMb: 20 });
    const sizeMb = 'df -m --output=size "$HOME" | tail -1';
    await live(lab(), desktop, 'echo mine >"$HOME/letter"');
    const grown = Number(await live(lab(), { ...desktop, homeMb: 100 }, sizeMb));
    expect(grown).toBeGreaterThan(80);
    for (const homeMb of [100, undefined])
      expect(Number(await live(lab(), { ...desktop, homeMb }, sizeMb))).toBe(grown);
    const filled = { ...desktop, homeMb: 100 };
    await live(lab(), filled, 'head -c 50M /dev/zero >"$HOME/big"');
    expect(Number(await live(lab(), { ...desktop, homeMb: 40 }, sizeMb))).toBe(grown);
    await live(lab(), filled, 'rm "$HOME/big"');
    expect(Number(await live(lab(), { ...desktop, homeMb: 40 }, sizeMb))).toBeLessThan(40);
    expect(await live(lab(), desktop, 'cat "$HOME/letter"')).toBe("mine\n");
  });

  test("a home that gets a limit later moves with all that is in it", async () => {
    const desktop = newRequest(lab(), { persistence: "folders", keptFolders: ["/var/log"] });
    await live(lab(), desktop, 'echo mine >"$HOME/letter"; echo x >"$KEPT/var%2Flog/syslog"');
    const limited = { ...desktop, homeMb: 60 };
    for (const _again of [1, 2])
      expect(
        await live(
          lab(),
          limited,
          'cat "$HOME/letter"; ls "$KEPT/var%2Flog"; df -m --output=size "$HOME" | tail -1',
        ),
      ).toMatch(/^mine\ninstalled\nsyslog\n +\d{2}\n$/);
    const names = await readdir(lab().layout.homesFolder);
    expect(names.some((name) => name.startsWith(`moved-${desktop.vmId}`))).toBe(true);
  });
}

function newRequest(lab: StorageLab, promise: Partial<MountRequest>): MountRequest {
  return { ...lab.newDesktop(), diId: lab.images[0], ...promise };
}

/** One life of the desktop; returns what the script said. */
async function live(lab: StorageLab, desktop: MountRequest, script: string): Promise<string> {
  await lab.storage.mountDesktop(desktop);
  const { stdout, stderr } = await lab.runInside(desktop, script);
  await lab.storage.unmountDesktop(desktop.vmId);
  expect(stderr).toBe("");
  return stdout;
}
