/** No two files take the same of the machine: each test and each benchmark may run beside every other. */

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { placeOf } from "../../bench/box-place.ts";
import { type Claim, findClaims, overlap, toNetwork } from "./claims.ts";
import { expectNone } from "./expect-none.ts";
import { readSource, readTree, type SourceFile } from "./tree.ts";

const ROOT = join(import.meta.dir, "../..");
const SCOPE = /^(?:bench|test\/(?:system|integration|support|fault))\//;

/** Beginnings of networks that several files may name, since no interface of this machine has them. */
const NOWHERE: Readonly<Record<string, string>> = {
  "10.0.0.0/16": "made up, and within an emulator of a machine",
  "10.64.0.0/16": "of the benchmark's played nodes, which have rows and no network",
  "10.77.0.0/16": "of the simulated boxes",
  "10.79.0.0/16": "of desktops of labs whose nodes are machines of their own",
  "10.91.0.0/16": "in rows, behind pages of the administration",
};

/** Of one file, with what a name hides: a benchmark's box lies where its instance's name puts it. */
function listClaims(file: SourceFile): readonly Claim[] {
  const claims = findClaims(file).filter((claim) => !isNowhere(claim));
  const boxes = file.path.startsWith("bench/") ? claims.filter(({ kind }) => kind === "instance") : [];
  const hidden = boxes.flatMap(({ what }): Claim[] => {
    const { cidr, brokerPort, adminPort } = placeOf(what);
    const ports = [brokerPort, adminPort].map((port): Claim => ({ kind: "port", what: String(port) }));
    return [toNetwork(cidr), ...ports];
  });
  return [...claims, ...hidden];
}

function isNowhere(claim: Claim): boolean {
  if (claim.kind !== "network") return false;
  const start: Claim = { ...claim, last: claim.first };
  return Object.keys(NOWHERE).some((text) => overlap(toNetwork(text), start));
}

function findShared(files: readonly SourceFile[]): string[] {
  const all = files.flatMap((file) => listClaims(file).map((claim) => ({ path: file.path, claim })));
  const shared = all.flatMap((one, at) =>
    all
      .slice(at + 1)
      .filter((other) => other.path !== one.path && overlap(one.claim, other.claim))
      .map(({ path, claim }) => `${claim.kind} ${claim.what} of ${path} is ${one.path}'s, too`),
  );
  return [...new Set(shared)];
}

test("no network, instance, display or port is two files'", () => {
  const files = readTree(ROOT).filter(({ path }) => SCOPE.test(path));
  expect(files.flatMap(findClaims).length).toBeGreaterThan(150);
  expectNone(findShared(files));
});

describe("the finder of what is claimed", () => {
  const found = (text: string, path = "test/system/a.test.ts") =>
    findClaims(readSource(path, text)).map(({ kind, what }) => `${kind} ${what}`);

  test.each([
    [
      'const PLACE = { instance: "alab", network: "172.29.8", screen: ":95" };',
      ["network 172.29.8", "instance alab", "display :95"],
    ],
    ['lab = await createDesktopLab("hva", "10.234.0.0/24");', ["network 10.234.0.0/24", "instance hva"]],
    ["const PORTS = { broker: 27_301, admin: 27302 };", ["port 27301", "port 27302"]],
    ['const LAB = "late";', ["instance late"]],
    ["// as in 10.1.2.3 with :93\nconst LIMIT = 20_000;", []],
    ['const port = 4100; inside("DISPLAY=:100"); const MS = 28_000; const v = "1.10.2.3";', []],
  ])("sees in %p what it takes", (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  test("takes addresses of an integration test without an instance for rows", () => {
    const text = 'rows = await NodeDatabase.create("10.218.0");';
    expect(found(text, "test/integration/a.test.ts")).toEqual([]);
    expect(found(`const lab = { instance: "a" };\n${text}`, "test/integration/a.test.ts")).toEqual([
      "network 10.218.0",
      "instance a",
    ]);
  });

  test("knows a network within another's, and lets one file name its own twice", () => {
    const [one, two, three] = [
      readSource("test/system/a.test.ts", 'const A = "10.218.7.1"; const B = "10.218.7.0/24";'),
      readSource("test/support/b.ts", 'const CIDR = "10.218.0.0/16";'),
      readSource("test/system/c.test.ts", 'const A = "10.219.0.0/16";'),
    ] as const;
    expect(findShared([one, three])).toEqual([]);
    expect(findShared([one, two])).toHaveLength(1);
  });
});
