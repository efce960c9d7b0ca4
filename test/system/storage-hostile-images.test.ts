/** Archives that were made to do harm: each is refused with its reason, and reaches nothing if unpacked all the same. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFile, mkdir, mkdtemp, readdir, symlink } from "node:fs/promises";
import { asId, type DiId } from "../../src/domain/ids.ts";
import { layoutOf } from "../../src/domain/node/layout.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { createStorage, type Storage } from "../../src/storage/storage.ts";
import { makeTinyRoot, packRoot } from "../support/tiny-root.ts";

const DI = asId<DiId>(5);
let scratch: string;
let tiny: string;
let good: string;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-hostile-");
  tiny = `${scratch}/tiny`;
  good = `${scratch}/good.tar`;
  await makeTinyRoot(tiny);
  await packRoot(tiny, good);
}, 180_000);
afterAll(() => run(["/usr/bin/rm", "-rf", "--one-file-system", "--", scratch]));

function openStorage(): Storage {
  const layout = layoutOf(`${scratch}/state`, `${scratch}/run`);
  return createStorage({ layout, idRangeFirst: 1_000_000, log: silentLog(), reserveBytes: 0 });
}

describe("an archive that means harm", () => {
  // What GNU tar writes of a tree that only root can make.
  const HOSTILE: readonly (readonly [string, (root: string) => Promise<unknown>, RegExp])[] = [
    ["a device node", (root) => sh(`mknod ${root}/srv-disk b 8 0`), /it has the device node \.\/srv-disk/],
    [
      "a person's setuid program",
      (root) => sh(`install -o 1000 -m 4755 /bin/true ${root}/usr/bin/x`),
      /belongs to a person/,
    ],
    [
      "a setuid program that all may write",
      (root) => sh(`install -m 4777 /bin/true ${root}/usr/bin/x`),
      /written by anybody/,
    ],
    [
      "a setuid program among temporary files",
      (root) => sh(`install -m 4755 /bin/true ${root}/tmp/.x`),
      /lies where anybody/,
    ],
    [
      "an owner beyond a desktop's ids",
      (root) => sh(`touch ${root}/usr/x; chown 70000 ${root}/usr/x`),
      /belongs to id 70000/,
    ],
    ["a sparse bomb", (root) => sh(`truncate -s 600G ${root}/usr/x`), /far more than its size promises/],
  ];

  test.each(HOSTILE)("with %s is refused", async (what, harm, reason) => {
    const root = `${scratch}/hostile-${what.replaceAll(/[^a-z]/g, "-")}`;
    await makeTinyRoot(root);
    await harm(root);
    const path = `${root}.tar`;
    await sh(`tar --sparse --numeric-owner -cf ${path} -C ${root} .`);
    const storage = openStorage();
    await expect(storage.verifyArchive(path)).rejects.toThrow(reason);
    await sh(`rm -rf ${root} ${path}`);
  });

  test("with a file behind a link that leads out is refused, and writes nothing there if it is unpacked all the same", async () => {
    const target = `${scratch}/outside`;
    await mkdir(target, { mode: 0o777 });
    await sh(`chmod 777 ${target}`);
    const [link, file] = [`${scratch}/link`, `${scratch}/file`];
    await sh(`mkdir -p ${link} ${file}/way; ln -s ${target} ${link}/way; touch ${file}/way/evil`);
    const path = `${scratch}/behind.tar`;
    await copyFile(good, path);
    await sh(`tar -rf ${path} -C ${link} way; tar -rf ${path} -C ${file} way/evil`);
    const storage = openStorage();
    await expect(storage.verifyArchive(path)).rejects.toThrow(/behind a link that leads out/);
    await Promise.allSettled([storage.ensureBase(DI, path, new AbortController().signal)]);
    expect(await readdir(target)).toEqual([]);
  });

  test("of much in little is given up on before its end", async () => {
    const path = `${scratch}/bomb.tar.zst`;
    await sh(
      `(tar -cf - -C ${tiny} . | head -c -10240; ${tarHeaderOf("./usr/zeros", 700)}; head -c 6G /dev/zero) | zstd -q -1 -o ${path}`,
    );
    const storage = openStorage();
    await expect(storage.verifyArchive(path)).rejects.toThrow(/more than 4 GB/);
  }, 180_000);

  test("can't have tar read a file of this machine", async () => {
    const storage = openStorage();
    const path = `${scratch}/leads-away.tar`;
    await symlink("/etc/shadow", path);
    await expect(storage.verifyArchive(path)).rejects.toMatchObject({ code: "image-broken" });
  });
});

/** A shell's words that print the header of a file of so many gigabytes, in GNU tar's large numbers. */
function tarHeaderOf(name: string, gigabytes: number): string {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write("0000644\u00000000000\u00000000000\u0000", 100);
  header.writeUInt8(0x80, 124);
  header.writeBigUInt64BE(BigInt(gigabytes) * 2n ** 30n, 128);
  header.write("00000000000\u0000", 136);
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar  \u0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
  return `echo ${header.toString("base64")} | base64 -d`;
}

function sh(text: string): Promise<string> {
  return runOk("preparing", ["/bin/bash", "-c", text], { timeoutMs: 150_000 });
}
