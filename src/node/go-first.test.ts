import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goFirst, type Precedence } from "./go-first.ts";

const folders: string[] = [];

function makeHost(files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "qvd-first-"));
  folders.push(folder);
  for (const path of ["p/broker-1", "proc/7"]) mkdirSync(join(folder, path), { recursive: true });
  for (const file of files) writeFileSync(join(folder, file), "");
  return folder;
}

function put(folder: string, goesFirst: Precedence = "lease"): void {
  goFirst({ pid: 7, cgroupFolder: join(folder, "p/broker-1"), goesFirst }, join(folder, "proc"));
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test("puts a worker first by its control group, where that holds the processors", () => {
  const folder = makeHost(["p/cgroup.subtree_control", "p/broker-1/cpu.weight"]);
  for (let again = 0; again < 2; again++) put(folder);
  expect(readFileSync(join(folder, "p/cgroup.subtree_control"), "utf8")).toBe("+cpu");
  expect(readFileSync(join(folder, "p/broker-1/cpu.weight"), "utf8")).toBe("10000");
});

test("puts a worker first by the kernel's group of its session elsewhere", () => {
  const folder = makeHost(["proc/7/autogroup"]);
  put(folder);
  expect(readFileSync(join(folder, "proc/7/autogroup"), "utf8")).toBe("-20");
});

test("leaves the lease before the sessions, and ordinary work a tenth beside those", () => {
  const folder = makeHost(["p/broker-1/cpu.weight", "proc/7/autogroup"]);
  put(folder, "sessions");
  expect(readFileSync(join(folder, "p/broker-1/cpu.weight"), "utf8")).toBe("1000");
  expect(readFileSync(join(folder, "proc/7/autogroup"), "utf8")).toBe("-10");
});

test("makes nothing on a kernel that knows neither", () => {
  const folder = makeHost([]);
  put(folder);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(["p", "p/broker-1", "proc", "proc/7"]);
});

test("tells what the kernel refuses", () => {
  const folder = makeHost([]);
  mkdirSync(join(folder, "proc/7/autogroup"));
  expect(() => put(folder)).toThrow(/refused .*autogroup/);
});
