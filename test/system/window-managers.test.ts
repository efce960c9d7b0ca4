/** What manages the windows of a client's screen, real displays and windows: none that asks to be shown is forgotten. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { openScreen } from "../../bench/screen.ts";
import { type PlainManager, startPlainManager } from "../../src/client/plain-manager.ts";
import { CLEAN_ENV, run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";

const COOKIE = new Uint8Array(16);
const XLOGO = ["xlogo", "-geometry", "200x200+10+10"];

/** Whether a program that is started this moment comes to show its window. */
async function showsWindow(display: string): Promise<boolean> {
  const child = Bun.spawn(XLOGO, {
    env: { ...CLEAN_ENV, DISPLAY: display },
    stdio: ["ignore", "ignore", "ignore"],
  });
  try {
    const isShown = async () =>
      (await run(["xwininfo", "-display", display, "-name", "xlogo"])).stdout.includes("IsViewable");
    return (await waitFor(isShown, { timeoutMs: 30_000, everyMs: 50 })) === true;
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

describe("openbox, where tests and benchmarks see desktops", () => {
  for (const round of [1, 2, 3, 4, 5])
    test(`shows what asks as soon as it is there (${round} of 5)`, async () => {
      const screen = await openScreen("640x480");
      try {
        expect(await showsWindow(screen.display)).toBe(true);
      } finally {
        await screen.close();
      }
    }, 180_000);

  test("leaves no room for another", async () => {
    const screen = await openScreen("640x480");
    const managed = { number: screen.display.slice(1), cookie: COOKIE };
    try {
      await expect(startPlainManager(managed)).rejects.toThrow("another program manages it");
    } finally {
      await screen.close();
    }
  }, 180_000);
});

describe("the manager of `qvd connect`'s own window", () => {
  let folder: string;
  let server: Bun.Subprocess;
  let manager: PlainManager;
  let number: string;

  beforeAll(async () => {
    folder = mkdtempSync("/tmp/qvd-managed-");
    const open = `exec Xvfb -displayfd 3 -screen 0 640x480x24 -nolisten tcp -noreset 3>${folder}/number`;
    server = Bun.spawn(["sh", "-c", open], { env: { ...CLEAN_ENV }, stdio: ["ignore", "ignore", "ignore"] });
    const isThere = () =>
      existsSync(`${folder}/number`) && readFileSync(`${folder}/number`, "utf8").length > 1;
    await waitFor(isThere, { timeoutMs: 30_000, everyMs: 20 });
    number = readFileSync(`${folder}/number`, "utf8").trim();
    manager = await startPlainManager({ number, cookie: COOKIE });
  });

  afterAll(async () => {
    manager?.stop();
    server?.kill("SIGTERM");
    await server?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test("shows what asks as soon as it is there", async () => {
    expect(await showsWindow(`:${number}`)).toBe(true);
  }, 180_000);
});
