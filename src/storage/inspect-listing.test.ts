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

function inspect(lines: readonly (string | null)[], archiveBytes = 100_000_000): Inspection {
  const inspector = createInspector(archiveBytes);
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
    ["hrw-r--r-- 0/0 0 2024-01-01 00:00:00 ./shadow link to /etc/shadow", /link .\/shadow leads out/],
    ["Drwxr-xr-x 0/0 0 2024-01-01 00:00:00 ./dump/", /of no kind/],
    ["-rw-r--r-- 70000/0 5 2024-01-01 00:00:00 ./usr/x", /belongs to id 70000/],
    ["-rw-r--r-- 0/4294967294 5 2024-01-01 00:00:00 ./usr/x", /belongs to id 4294967294/],
    ["-rwsr-xrwx 0/0 5 2024-01-01 00:00:00 ./usr/bin/x", /setuid program .* written by anybody/],
    ["-rwxr-srwx 0/0 5 2024-01-01 00:00:00 ./usr/bin/x", /setuid program .* written by anybody/],
    ["-rwsr-xr-x 1000/1000 5 2024-01-01 00:00:00 ./usr/bin/x", /belongs to a person \(id 1000\)/],
    ["-rwsr-xr-x 0/0 5 2024-01-01 00:00:00 ./tmp/.x", /setuid program .* lies where anybody/],
    ["-rwsr-xr-x 0/0 5 2024-01-01 00:00:00 ./home/ada/su", /setuid program .* lies where anybody/],
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

  test("may have setuid programs of root and of services", () => {
    const programs = [
      "-rwsr-xr-x 0/0 5 2024-01-01 00:00:00 ./usr/bin/su",
      "-rwxr-sr-x 0/42 5 2024-01-01 00:00:00 ./usr/bin/chage",
      "-rwsr-sr-x 1/1 5 2024-01-01 00:00:00 ./usr/bin/at",
      "drwxrwsr-x 0/50 0 2024-01-01 00:00:00 ./usr/local/share/",
      "drwxrwxrwt 0/0 0 2024-01-01 00:00:00 ./tmp/",
    ];
    expect(inspect([...GOOD, ...programs]).fault).toBeUndefined();
  });

  const link = (name: string, target: string) =>
    `lrwxrwxrwx 0/0 0 2024-01-01 00:00:00 ./${name} -> ${target}`;
  const file = (name: string) => `-rw-r--r-- 0/0 5 2024-01-01 00:00:00 ./${name}`;

  test.each([
    ["an absolute one", [link("srv/x", "/tmp"), file("srv/x/evil")]],
    ["one that leads up and out", [link("srv/x", "../../../tmp"), file("srv/x/a/b/evil")]],
    ["one that leads out at the end", [link("x", "usr/../.."), file("x/evil")]],
  ])("with a file behind a link is refused: %s", (_what, lines) => {
    expect(inspect([...GOOD, ...lines]).fault).toMatch(/behind a link that leads out/);
  });

  test("may have files behind links within itself", () => {
    expect(inspect([...GOOD, link("srv/x", "../usr/share"), file("srv/x/fine")]).fault).toBeUndefined();
  });
});

describe("a bomb", () => {
  const zeros = (gigabytes: number, index = 0) =>
    `-rw-r--r-- 0/0 ${gigabytes * 2 ** 30} 2024-01-01 00:00:00 ./usr/zeros${index}`;

  test("of one giant file, as of many, is told before the end of the listing", () => {
    for (const lines of [[zeros(10_000)], Array.from({ length: 50 }, (_, index) => zeros(1, index))]) {
      const inspector = createInspector(1_000_000);
      for (const line of lines) inspector.take(line);
      expect(inspector.fault).toMatch(/more than 4 GB/);
    }
  });

  test("is what no honest archive could hold, however large it is", () => {
    expect(inspect([...GOOD, zeros(600)], 2 ** 40).fault).toMatch(/more than 512 GB/);
  });

  test("isn't a large image that fits its archive", () => {
    expect(inspect([...GOOD, zeros(30)], 8 * 2 ** 30).fault).toBeUndefined();
  });
});
