/** What happens to images that are good, bad, or too big for the disk. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { asId, type DiId } from "../../src/domain/ids.ts";
import { layoutOf, withSharedBases } from "../../src/domain/node/layout.ts";
import { silentLog } from "../../src/lib/log.ts";
import { CLEAN_ENV, run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import { makeTinyRoot, packRoot } from "../support/tiny-root.ts";

const FIRST = 1_000_000;
const DI = asId<DiId>(5);
let scratch: string;
let tiny: string;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-images-");
  tiny = `${scratch}/tiny`;
  await makeTinyRoot(tiny);
  for (const ending of ["tar", "tar.gz", "tar.xz", "tar.zst", "tar.bz2"])
    await packRoot(tiny, `${scratch}/good.${ending}`);
}, 400_000);
afterAll(async () => {
  await run(["/usr/bin/umount", `${scratch}/small`]);
  await run(["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]);
});

let states = 0;
async function freshStorage(
  options: { state?: string; reserveBytes?: number } = {},
): Promise<{ storage: Storage; bases: string }> {
  states += 1;
  const layout = layoutOf(options.state ?? `${scratch}/state${states}`, `${scratch}/run`);
  await mkdir(layout.stateFolder, { recursive: true });
  const storage = createStorage({
    layout,
    idRangeFirst: FIRST,
    log: silentLog(),
    reserveBytes: options.reserveBytes ?? 0,
  });
  return { storage, bases: layout.basesFolder };
}

/** GNU tar's announcement of a long name; `octalSize` is how long it claims to be. */
function longNameHeader(octalSize: string): Buffer {
  const header = Buffer.alloc(512);
  header.write("././@LongLink");
  header.write("0000644\u00000000000\u00000000000", 100);
  header.write(octalSize, 124);
  header.write("00000000000", 136);
  header.write(" ".repeat(8), 148);
  header.write("L", 156);
  header.write("ustar  ", 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte)
      .toString(8)
      .padStart(6, "0")}\u0000 `,
    148,
  );
  return header;
}

describe("verification", () => {
  test.each(["tar", "tar.gz", "tar.xz", "tar.zst", "tar.bz2"])("accepts a good %s", async (ending) => {
    const { storage } = await freshStorage();
    const path = `${scratch}/good.${ending}`;
    const verified = await storage.verifyArchive(path);
    const sum = await runOk("summing", ["/usr/bin/sha256sum", path]);
    expect(verified.format as string).toBe(ending);
    expect(verified.sha256).toBe(sum.slice(0, 64));
    expect(verified.sizeBytes).toBe((await stat(path)).size);
    expect(verified.unpackedBytes).toBeGreaterThan(1_000_000);
  });

  test.each(["tar", "tar.gz", "tar.xz", "tar.zst"])(
    "finds a truncated %s, wherever it was cut",
    async (ending) => {
      const { storage } = await freshStorage();
      const { size } = await stat(`${scratch}/good.${ending}`);
      // A plain tar ends with up to 10 KiB of nothing, which nobody misses.
      const endBytes = ending === "tar" ? 12_000 : 100;
      const path = `${scratch}/cut.${ending}`;
      for (const length of [Math.floor(size / 2), Math.floor(size / 1024) * 512, size - endBytes]) {
        await copyFile(`${scratch}/good.${ending}`, path);
        await truncate(path, length);
        await expect(storage.verifyArchive(path)).rejects.toMatchObject({ code: "image-broken" });
      }
    },
  );

  test.each(["tar.gz", "tar.xz", "tar.zst"])("finds a flipped byte in a %s", async (ending) => {
    const { storage } = await freshStorage();
    const bytes = await readFile(`${scratch}/good.${ending}`);
    const at = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
    const path = `${scratch}/flipped.${ending}`;
    await writeFile(path, bytes);
    await expect(storage.verifyArchive(path)).rejects.toMatchObject({ code: "image-broken" });
  });

  test.each([
    ["missing", async () => {}, /missing/],
    ["a folder", async (path: string): Promise<unknown> => mkdir(path), /not a plain file/],
    ["empty", async (path: string) => writeFile(path, ""), /it is empty/],
    ["text", async (path: string) => writeFile(path, "<html>404</html>".repeat(100)), /of no kind/],
    [
      "compressed text",
      async (path: string) => writeFile(path, Bun.gzipSync("hello ".repeat(9_000))),
      /not a tar archive/,
    ],
    [
      "a tar of something else",
      async (path: string) => runOk("packing", ["/usr/bin/tar", "-cf", path, "-C", `${tiny}/usr`, "sbin"]),
      /no root file system/,
    ],
    [
      "a tar with an absolute path",
      async (path: string) => runOk("packing", ["/usr/bin/tar", "-Pcf", path, `${tiny}/etc/passwd`]),
      /absolute path/,
    ],
    [
      "a tar with a name of gigabytes",
      async (path: string) =>
        writeFile(path, Buffer.concat([longNameHeader("77777777777"), Buffer.alloc(2048)])),
      /more memory/,
    ],
  ] as const)("refuses what is %s, and says so", async (what, make, reason) => {
    const { storage } = await freshStorage();
    const path = `${scratch}/bad-${what.replaceAll(" ", "-")}`;
    await make(path);
    const fault = await storage.verifyArchive(path).catch((cause: unknown) => cause);
    expect(fault).toMatchObject({ code: "image-broken", message: expect.stringMatching(reason) });
    await rm(path, { recursive: true, force: true });
  });
});

describe("unpacking", () => {
  test("keeps owners, setuid bits and file capabilities unshifted, out of others' reach", async () => {
    const source = `${scratch}/special`;
    await makeTinyRoot(source);
    await runOk("giving a capability", ["/usr/sbin/setcap", "cap_net_raw+ep", `${source}/usr/bin/ls`]);
    await mkdir(`${source}/dev/input`, { recursive: true });
    await runOk("making a device", ["/usr/bin/mknod", `${source}/dev/zero`, "c", "1", "5"]);
    await runOk("packing", [
      "/usr/bin/tar",
      "--xattrs",
      "--xattrs-include=*",
      "-cf",
      `${scratch}/special.tar`,
      "-C",
      source,
      ".",
    ]);
    const { storage, bases } = await freshStorage();
    const base = await storage.ensureBase(DI, `${scratch}/special.tar`, never());
    const su = await stat(`${base}/usr/bin/su`);
    expect([su.uid, su.gid, su.mode & 0o7777]).toEqual([0, 0, 0o4755]);
    expect(await runOk("reading capabilities", ["/usr/sbin/getcap", "-n", `${base}/usr/bin/ls`])).toContain(
      "cap_net_raw=ep\n",
    );
    expect(await readdir(`${base}/dev`)).toEqual([]);
    expect((await stat(bases)).mode & 0o777).toBe(0o700);
  });

  test("happens once, whoever asks and however many", async () => {
    const { storage, bases } = await freshStorage();
    const other = createStorage({
      layout: layoutOf(bases.replace(/\/bases$/, ""), scratch),
      idRangeFirst: FIRST,
      log: silentLog(),
      reserveBytes: 0,
    });
    const asked = [storage, other, storage, other].map((who) =>
      who.ensureBase(DI, `${scratch}/good.tar.zst`, never()),
    );
    expect(new Set(await Promise.all(asked)).size).toBe(1);
    const { ino } = await stat(`${bases}/${DI}`);
    await storage.ensureBase(DI, `${scratch}/good.tar.zst`, never());
    expect((await stat(`${bases}/${DI}`)).ino).toBe(ino);
    expect((await readdir(bases)).sort()).toEqual([`.${DI}.lock`, `${DI}`]);
  });

  test("happens once for two boxes that share their bases", async () => {
    const shared = `${scratch}/shared`;
    const layouts = ["one", "two"].map((box) =>
      withSharedBases(layoutOf(`${scratch}/${box}`, `${scratch}/${box}-run`, shared)),
    );
    const asked = layouts.map(async (layout) => {
      await mkdir(layout.stateFolder, { recursive: true });
      const storage = createStorage({ layout, idRangeFirst: FIRST, log: silentLog(), reserveBytes: 0 });
      return await storage.ensureBase(DI, `${scratch}/good.tar.zst`, never());
    });
    expect(new Set(await Promise.all(asked))).toEqual(new Set([`${shared}/bases/${DI}`]));
    expect((await readdir(`${shared}/bases`)).sort()).toEqual([`.${DI}.lock`, `${DI}`]);
  });

  test.each([
    [
      "truncated",
      async (path: string) => {
        await copyFile(`${scratch}/good.tar.zst`, path);
        await truncate(path, 500_000);
      },
      "image-broken",
    ],
    ["missing", async () => {}, "image-broken"],
    ["not an image", async (path: string) => writeFile(path, "nothing"), "image-broken"],
    [
      "without a root file system",
      async (path: string) => runOk("packing", ["/usr/bin/tar", "-cf", path, "-C", `${tiny}/usr`, "sbin"]),
      "image-broken",
    ],
  ] as const)("of a file that is %s leaves nothing behind", async (what, make, code) => {
    const { storage, bases } = await freshStorage();
    const path = `${scratch}/unpack-${what.replaceAll(" ", "-")}`;
    await make(path);
    await expect(storage.ensureBase(DI, path, never())).rejects.toMatchObject({ code });
    expect(await readdir(bases)).toEqual([`.${DI}.lock`]);
    expect(await storage.hasBase(DI)).toBe(false);
  });

  test("of paths that lead out of the folder writes nothing there", async () => {
    const path = `${scratch}/out.tar`;
    await copyFile(`${scratch}/good.tar`, path);
    await writeFile(`${scratch}/evil`, "evil");
    await runOk("packing", [
      "/usr/bin/tar",
      "-Prf",
      path,
      "--transform",
      "s,.*,../../../evil-was-here,",
      `${scratch}/evil`,
    ]);
    const { storage, bases } = await freshStorage();
    await expect(storage.verifyArchive(path)).rejects.toThrow(/leads out of it/);
    // Unpacked all the same, it reaches nothing.
    await Promise.allSettled([storage.ensureBase(DI, path, never())]);
    const found = await runOk("looking", [
      "/usr/bin/find",
      scratch,
      "-name",
      "evil-was-here",
      "-not",
      "-path",
      `${bases}/*`,
    ]);
    expect(found).toBe("");
  });

  test("that is called off, or whose process is killed, leaves nothing that hinders the next", async () => {
    const { storage, bases } = await freshStorage();
    // On a machine that let us wait it may be through by then, and is begun once more.
    const isCalledOff = async () => {
      const off = new AbortController();
      setTimeout(() => off.abort(), 10);
      const unpacking = storage.ensureBase(DI, `${scratch}/good.tar.xz`, off.signal);
      const isThrough = await unpacking.then(
        () => true,
        () => false,
      );
      if (isThrough) await storage.removeBase(DI, never());
      return !isThrough;
    };
    expect(await waitFor(isCalledOff, { timeoutMs: 30_000 })).toBe(true);
    expect(await readdir(bases)).toEqual([`.${DI}.lock`]);
    const child = Bun.spawn(
      [
        process.execPath,
        `${import.meta.dir}/../support/unpack-image.ts`,
        bases.replace(/\/bases$/, ""),
        `${scratch}/good.tar.xz`,
      ],
      { env: { ...CLEAN_ENV }, stdout: "ignore", stderr: "inherit" },
    );
    await waitFor(async () => (await readdir(bases)).some((name) => name.includes(".tmp.")), {
      timeoutMs: 30_000,
      everyMs: 2,
    });
    child.kill("SIGKILL");
    await child.exited;
    // What it had started may still be on its way out.
    const begin = () => storage.ensureBase(DI, `${scratch}/good.tar.xz`, never()).catch(() => undefined);
    const base = await waitFor(begin, { timeoutMs: 30_000 });
    expect((await stat(`${base}/etc`)).isDirectory()).toBe(true);
    expect((await readdir(bases)).sort()).toEqual([`.${DI}.lock`, `${DI}`]);
  });
});

describe("a full disk", () => {
  const small = () => `${scratch}/small`;
  beforeAll(async () => {
    await mkdir(small());
    await runOk("making a small disk", ["/usr/bin/truncate", "-s", "48M", `${scratch}/disk`]);
    await runOk("making a small disk", ["/usr/sbin/mkfs.ext4", "-q", "-m", "0", `${scratch}/disk`]);
    await runOk("mounting a small disk", ["/usr/bin/mount", "-o", "loop", `${scratch}/disk`, small()]);
    const source = `${scratch}/big`;
    await makeTinyRoot(source);
    await writeFile(`${source}/usr/zeros`, new Uint8Array(80 * 2 ** 20));
    await packRoot(source, `${scratch}/big.tar.zst`);
    await packRoot(source, `${scratch}/big.tar`);
  }, 180_000);

  test.each([
    ["while unpacking", "big.tar.zst", 0],
    ["before unpacking", "big.tar", 0],
    ["down to the reserve", "big.tar.zst", 20 * 2 ** 20],
  ])("%s is told as such, and nothing stays", async (_when, image, reserveBytes) => {
    const { storage, bases } = await freshStorage({ state: `${small()}/state`, reserveBytes });
    const before = await storage.freeBytes();
    await expect(storage.ensureBase(DI, `${scratch}/${image}`, never())).rejects.toMatchObject({
      code: "storage-full",
    });
    expect(await readdir(bases)).toEqual([`.${DI}.lock`]);
    expect(before - (await storage.freeBytes())).toBeLessThan(100_000);
    // A smaller image fits again.
    await storage.ensureBase(DI, `${scratch}/good.tar.zst`, never());
    await run(["/usr/bin/rm", "-rf", "--", bases]);
  });

  test("keeps a desktop from being mounted, and the error says why", async () => {
    const { storage } = await freshStorage({ state: `${small()}/state`, reserveBytes: 40 * 2 ** 20 });
    const unpacking = storage.ensureBase(DI, `${scratch}/good.tar.zst`, never());
    await expect(unpacking).rejects.toMatchObject({ code: "storage-full" });
    await appendFile(`${small()}/ballast`, new Uint8Array(20 * 2 ** 20));
    const mount = storage.mountDesktop({ vmId: asId(1), diId: DI, slot: 0 });
    await expect(mount).rejects.toMatchObject({ code: "storage-full" });
    expect((await storage.listMounted()).size).toBe(0);
  });
});

function never(): AbortSignal {
  return new AbortController().signal;
}
