import { describe, expect, test } from "bun:test";
import { createInspector, type Inspection } from "./inspect-listing.ts";

const GOOD = [
  "drwxr-xr-x 0/0               0 2024-01-01 00:00:00 ./",
  "lrwxrwxrwx 0/0               0 2024-01-01 00:00:00 ./bin -> usr/bin",
  "lrwxrwxrwx 0/0               0 2024-01-01 00:00:00 ./sbin -> usr/sbin",
  "drwxr-xr-x 0/0               0 2024-01-01 00:00:00 ./etc/",
  "-rw-r--r-- 0/0             932 2024-01-01 00:00:00 ./etc/passwd",
  "crw-rw-rw- 0/0             1,3 2024-01-01 00:00:00 ./dev/null",
  "drwxr-xr-x 0/0               0 2024-01-01 00:00:00 ./usr/sbin/",
  "lrwxrwxrwx 0/0               0 2024-01-01 00:00:00 ./usr/bin/sh -> dash",
  "-rwxr-xr-x 0/0          125640 2024-01-01 00:00:00 ./usr/bin/dash",
  "-rwsr-xr-x 0/0           72000 2024-01-01 00:00:00 ./usr/bin/a name with blanks -> and more",
];

function inspect(lines: readonly (string | null)[]): Inspection {
  const inspector = createInspector();
  for (const line of lines) inspector.take(line);
  return inspector.finish();
}

describe("a listing of an image", () => {
  test("with all that a root file system needs is good, and is summed up", () => {
    expect(inspect(GOOD)).toEqual({
      entries: GOOD.length,
      unpackedBytes: 932 + 125_640 + 72_000,
      fault: undefined,
    });
  });

  test("is good with names that don't begin with a dot, too", () => {
    expect(inspect(GOOD.map((line) => line.replace(" ./", " "))).fault).toBeUndefined();
  });

  test.each([
    ["./etc/", /\/etc is missing/],
    ["sbin", /\/sbin or \/usr\/sbin is missing/],
    ["./usr/bin/sh", /\/bin\/sh is missing/],
  ])("without %s is no root file system", (needed, fault) => {
    expect(inspect(GOOD.filter((line) => !line.includes(needed))).fault).toMatch(fault);
  });

  test("is good whatever fraction of a second its times have", () => {
    const padded = GOOD.map((line, index) =>
      line.replace("00:00:00 ", index % 2 === 0 ? "00:00:00.123456789 " : "00:00:00.12345678  "),
    );
    expect(inspect(padded).fault).toBeUndefined();
  });

  test("of nothing is no root file system", () => {
    expect(inspect([]).fault).toMatch(/no root file system/);
  });

  test.each([
    ["-rw-r--r-- 0/0 5 2024-01-01 00:00:00 /etc/cron.d/evil", /absolute path \/etc\/cron\.d\/evil/],
    ["-rw-r--r-- 0/0 5 2024-01-01 00:00:00 ./../../etc/shadow", /leads out of it/],
    ["-rw-r--r-- 0/0 5 2024-01-01 00:00:00 ./etc/..", /leads out of it/],
    ["hrw-r--r-- 0/0 0 2024-01-01 00:00:00 ./shadow link to ../../etc/shadow", /link .\/shadow leads out/],
    ["brw-rw---- 0/6 254,0 2024-01-01 00:00:00 ./srv/disk", /device node .\/srv\/disk/],
    ["crw-rw---- 0/6 1,1 2024-01-01 00:00:00 ./developer/mem", /device node/],
    ["something that tar never said", /can't be read/],
    ["-rw-r--r-- 0/0 5 2024-01-01 00:00:00.5  /etc/cron.d/evil", /absolute path \/etc\/cron\.d\/evil/],
    [null, /can't be read/],
  ])("with the entry %j is refused", (line, fault) => {
    expect(inspect([...GOOD, line]).fault).toMatch(fault);
  });

  test("tells of the first fault only", () => {
    const two = [
      "-rw-r--r-- 0/0 5 2024-01-01 00:00:00 /first",
      "-rw-r--r-- 0/0 5 2024-01-01 00:00:00 /second",
    ];
    expect(inspect([...two, ...GOOD]).fault).toMatch(/first/);
  });

  test("may have links that point anywhere: they are only followed inside the desktop", () => {
    const link = "lrwxrwxrwx 0/0 0 2024-01-01 00:00:00 ./etc/mtab -> ../proc/self/mounts";
    expect(inspect([...GOOD, link]).fault).toBeUndefined();
  });
});
