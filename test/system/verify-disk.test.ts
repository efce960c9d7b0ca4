/** Disks as QEMU's own tools write them: what is whole is taken, what leans on other files of the host is not. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { runOk } from "../../src/lib/run.ts";
import { verifyDisk } from "../../src/storage/verify-disk.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp("/var/tmp/qvd-disks-");
  // A boot sector, and something behind it.
  const raw = Buffer.alloc(4 * 2 ** 20, 7);
  raw.writeUInt16BE(0x55aa, 510);
  await writeFile(`${scratch}/good.raw`, raw);
  await convert("qcow2", "good.qcow2");
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

function image(...words: readonly string[]): Promise<string> {
  return runOk("making a disk", ["/usr/bin/qemu-img", ...words]);
}
function convert(format: string, name: string, ...options: readonly string[]): Promise<string> {
  return image("convert", "-f", "raw", "-O", format, ...options, `${scratch}/good.raw`, `${scratch}/${name}`);
}

describe("a disk", () => {
  test.each([
    ["good.raw", "raw"],
    ["good.qcow2", "qcow2"],
  ])("that is whole is taken: %s", async (name, format) => {
    const verified = await verifyDisk(`${scratch}/${name}`);
    expect(verified).toMatchObject({ format, virtualBytes: 4 * 2 ** 20 });
    const sum = await runOk("summing", ["/usr/bin/sha256sum", `${scratch}/${name}`]);
    expect(verified.sha256).toBe(sum.slice(0, 64));
  });

  test.each([
    ["qcow2 of the old kind", ["-o", "compat=0.10"]],
    ["qcow2 that is compressed", ["-c", "-o", "compression_type=zstd"]],
    ["qcow2 with small clusters", ["-o", "cluster_size=4k"]],
  ])("of every kind that QEMU writes is taken: %s", async (what, options) => {
    const name = `${what.replaceAll(" ", "-")}.qcow2`;
    await convert("qcow2", name, ...options);
    expect((await verifyDisk(`${scratch}/${name}`)).format).toBe("qcow2");
  });

  const REFUSED: readonly (readonly [string, (path: string) => Promise<unknown>, RegExp])[] = [
    [
      "over a backing file",
      (path) => image("create", "-q", "-f", "qcow2", "-b", `${scratch}/good.qcow2`, "-F", "qcow2", path),
      /stands on a backing file/,
    ],
    [
      "over a file of the host",
      (path) => image("create", "-q", "-u", "-f", "qcow2", "-b", "/etc/shadow", "-F", "raw", path, "1M"),
      /stands on a backing file/,
    ],
    [
      "with its data elsewhere",
      (path) => image("create", "-q", "-f", "qcow2", "-o", `data_file=${path}.data`, path, "1M"),
      /keeps its data in another file/,
    ],
    [
      "that is encrypted",
      (path) =>
        // The older of its two kinds: for LUKS it measures the processor, and gives up on a busy one.
        image(
          ...["create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=abc"],
          ...["-o", "encrypt.format=aes,encrypt.key-secret=s", path, "1M"],
        ),
      /is encrypted/,
    ],
    [
      "with a snapshot",
      async (path) => {
        await image("create", "-q", "-f", "qcow2", path, "1M");
        await image("snapshot", "-c", "one", path);
      },
      /has snapshots inside/,
    ],
    ["of VMware", (path) => convert("vmdk", path.slice(scratch.length + 1)), /a VMDK disk of VMware/],
    ["of VirtualBox", (path) => convert("vdi", path.slice(scratch.length + 1)), /a VDI disk of VirtualBox/],
    ["of Hyper-V", (path) => convert("vhdx", path.slice(scratch.length + 1)), /a VHDX disk of Hyper-V/],
    ["of Hyper-V's past", (path) => convert("vpc", path.slice(scratch.length + 1)), /a VHD disk of Hyper-V/],
    ["without a boot sector", (path) => writeFile(path, Buffer.alloc(2 ** 20)), /of no kind that is known/],
    [
      "that is cut",
      async (path) => {
        await convert("qcow2", path.slice(scratch.length + 1));
        await truncate(path, 100_000);
      },
      /is truncated/,
    ],
    [
      "that is a file system",
      (path) => runOk("making", ["/usr/sbin/mkfs.ext4", "-q", path, "4M"]),
      /an ext file system/,
    ],
    ["that is missing", async () => {}, /missing/],
    ["that is an endless device", (path) => symlink("/dev/zero", path), /not a plain file/],
  ];
  test.each(REFUSED)("%s is refused, with its reason", async (what, make, reason) => {
    const path = `${scratch}/bad-${what.replaceAll(/[^A-Za-z]/g, "-")}`;
    await make(path);
    const fault = await verifyDisk(path).catch((cause: unknown) => cause);
    expect(fault).toMatchObject({ code: "image-broken" });
    expect(String(fault)).toMatch(reason);
  });
});
