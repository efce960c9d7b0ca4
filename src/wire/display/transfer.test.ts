import { describe, expect, test } from "bun:test";
import {
  cleanFileName,
  formatTransferReport,
  formatTransferWish,
  parseTransferReport,
  parseTransferWish,
} from "./transfer.ts";

describe("names of files", () => {
  for (const [given, clean] of [
    ["report.pdf", "report.pdf"],
    ["año nuevo €.txt", "año nuevo €.txt"],
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\me\\a.doc", "a.doc"],
    [".bashrc", "bashrc"],
    ["-rf", "rf"],
    ["..", "file"],
    ["", "file"],
    ["a\u0000b\nc\u202egpj.exe", "abcgpj.exe"],
    ["x/", "file"],
  ] as const)
    test(`${JSON.stringify(given)} becomes ${clean}`, () => expect(cleanFileName(given)).toBe(clean));

  test("that are as long as a request are cut in no time", () => {
    const startMs = performance.now();
    expect(Buffer.byteLength(cleanFileName("漢".repeat(100_000)))).toBe(198);
    expect(cleanFileName(`.${"👍".repeat(100_000)}`)).toBe("👍".repeat(50));
    // A character at a time it took minutes.
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
  test("are short, and cut between letters", () => {
    const clean = cleanFileName("漢".repeat(300));
    expect(Buffer.byteLength(clean)).toBeLessThanOrEqual(200);
    expect(clean).toBe("漢".repeat(66));
  });
});

describe("wishes and reports", () => {
  test("are read as they were written", () => {
    expect(parseTransferWish(formatTransferWish({ name: "a b.txt", bytes: 7 }))).toEqual({
      name: "a b.txt",
      bytes: 7,
    });
    expect(parseTransferWish("{}")).toEqual({ name: undefined, bytes: 0 });
    const report = { isGood: true, name: "a", bytes: 3, files: [{ name: "b", bytes: 4 }] } as const;
    expect(parseTransferReport(formatTransferReport(report))).toEqual(report);
    expect(parseTransferReport('{"isGood":false,"text":"full"}')).toEqual({ isGood: false, text: "full" });
  });

  for (const bad of ['{"bytes":-1}', '{"bytes":1e300}', '{"bytes":"1"}', '{"name":7}'])
    test(`are none: ${bad}`, () => expect(parseTransferWish(bad)).toBeUndefined());
  for (const bad of ["", "[]", '{"isGood":true}', '{"isGood":true,"name":1,"bytes":1,"files":[]}'])
    test(`are no report: ${bad}`, () => expect(parseTransferReport(bad)).toBeUndefined());
  test("leave out entries that are none", () => {
    const line =
      '{"isGood":true,"name":"","bytes":0,"files":[1,null,{"name":"a"},{"name":"b","bytes":1,"x":2}]}';
    expect(parseTransferReport(line)).toMatchObject({ files: [{ name: "b", bytes: 1 }] });
  });
});
