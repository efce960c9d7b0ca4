import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createLog } from "../lib/log.ts";
import { keepConnections } from "./keep-connections.ts";

const folder = mkdtempSync(`${tmpdir()}/qvd-keep-`);
afterAll(() => rmSync(folder, { recursive: true }));

test("connections are handed on where that may be set, and a box that may not says what would", () => {
  const lines: string[] = [];
  const log = createLog({ level: "info", write: (line) => void lines.push(line), now: () => new Date(0) });
  expect(keepConnections(log, `${folder}/value`)).toBe(true);
  expect(readFileSync(`${folder}/value`, "utf8")).toBe("1");
  expect(lines).toEqual([]);
  expect(keepConnections(log, `${folder}/none/value`)).toBe(false);
  expect(lines.join()).toContain("tcp_migrate_req=1");
});
