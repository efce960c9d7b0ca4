/**
 * Thousands of visits (14,000 with QVD_TEST_LONG=1) while brokers are replaced, and behind a real HAProxy while boxes go down: none is lost, and a
 * session with traffic sees nothing of it. In a network namespace, because the kernel's part is a sysctl of it.
 */

import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { run } from "../../src/lib/run.ts";
import type { DrillOptions, DrillResult } from "../support/upgrade-drill.ts";

/** The 14,000 take a busy machine over a minute. */
const VISITS = process.env.QVD_TEST_LONG === "1" ? 14_000 : 4_000;
const PROGRAM = fileURLToPath(new URL("../support/upgrade-drill.ts", import.meta.url));

async function drill(options: Omit<DrillOptions, "folder">): Promise<DrillResult> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-drill-`);
  try {
    const words = ["unshare", "--net", process.execPath, PROGRAM, JSON.stringify({ ...options, folder })];
    const { exitCode, stdout, stderr } = await run(words, { timeoutMs: 280_000 });
    if (exitCode !== 0) throw new Error(`the drill failed: ${stderr}`);
    const result: DrillResult = JSON.parse(stdout);
    if (Object.keys(result.failures).length > 0)
      console.error(`what the drill saw: ${stderr.slice(-20_000)}`);
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("while brokers are replaced", () => {
  test("no visit is lost, and a session sees no break", async () => {
    const result = await drill({ of: "workers", visits: VISITS, migrates: true });
    expect(result.failures).toEqual({});
    expect(result.count).toBeGreaterThanOrEqual(VISITS);
    expect(result.replaced).toBeGreaterThanOrEqual(6);
    expect(result.sessionFault).toBeUndefined();
    expect(result.sessionBytes).toBeGreaterThan(1_000_000);
  }, 300_000);
});

describe("behind HAProxy, while one box after the other goes down", () => {
  test("no visit is lost, a session sees no break, and boxes know who came", async () => {
    const result = await drill({ of: "boxes", visits: VISITS / 2, migrates: true });
    expect(result.failures).toEqual({});
    expect(result.replaced).toBeGreaterThanOrEqual(4);
    expect(result.sessionFault).toBeUndefined();
    expect(result.sessionBytes).toBeGreaterThan(1_000_000);
    expect(result.origins).toContain("127.0.0.9");
  }, 300_000);
});
