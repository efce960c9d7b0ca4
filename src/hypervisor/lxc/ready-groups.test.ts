import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGroupReadier } from "./ready-groups.ts";

let unified: string;

beforeAll(() => {
  unified = mkdtempSync(join(tmpdir(), "qvd-groups-"));
  mkdirSync(join(unified, "own"));
});

afterAll(() => rmSync(unified, { recursive: true, force: true }));

const procs = (group: string) => join(unified, group, "cgroup.procs");
const read = (group: string) => readFileSync(procs(group), "utf8");

test("the node enters the group that it is in, and not again while that lasts", async () => {
  let atMs = 1_000;
  const readOwnGroups = () => "2:cpu:/elsewhere\n0::/own\n";
  const makeReady = createGroupReadier({ unified, readOwnGroups, nowMs: () => atMs });
  await Promise.all([makeReady(), makeReady()]);
  expect(read("own")).toBe(`${process.pid}\n`);
  writeFileSync(procs("own"), "");
  atMs += 19;
  await makeReady();
  expect(read("own")).toBe("");
  atMs += 1;
  await makeReady();
  expect(read("own")).toBe(`${process.pid}\n`);
});

test("a box in the root group, or in one that can't be entered, starts its desktops all the same", async () => {
  for (const groups of ["0::/gone\n", "2:cpu:/\n", "0::/\n"])
    await createGroupReadier({ unified, readOwnGroups: () => groups })();
  expect(read("")).toBe(`${process.pid}\n`);
});

test("a box that can't even read its groups goes on", async () => {
  const readOwnGroups = () => {
    throw new Error("EMFILE");
  };
  expect(await createGroupReadier({ unified, readOwnGroups })()).toBeUndefined();
});
