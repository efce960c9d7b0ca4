/** A browser at one box's port, its real desktop at another's: screen, keyboard, files and sound go by the relay. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Browser, chromium } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";
import { buildSoundRoot } from "../support/sound-root.ts";
import { visitPage } from "../support/visit-page.ts";
import { type BrowserLab, openBrowserLab, WINDOW_PIXELS } from "./browser-lab.ts";

const PLACE = { instance: "twobox", network: "172.29.24", screen: ":99" };
const SLOW = 240_000;
const AS_USER =
  "setpriv --reuid=2001 --regid=2001 --clear-groups env HOME=/home/alice XDG_RUNTIME_DIR=/run/user/2001";

let lab: BrowserLab;
let browser: Browser;

beforeAll(async () => {
  lab = await openBrowserLab(PLACE, await buildSoundRoot(), { hasSession: true, isAcross: true });
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}, 660_000);

afterAll(async () => {
  await browser?.close();
  await lab?.stop();
}, SLOW);

async function becomes(read: () => Promise<boolean>, what: string): Promise<void> {
  expect(await waitFor(read, { timeoutMs: 60_000, everyMs: 100 }), what).toBe(true);
}

test(
  "a person works at a desktop of another box as at one of this",
  async () => {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width: 1000, height: 700 },
    });
    const page = await context.newPage();
    await visitPage(page, `${lab.url}/`);
    await page.fill("#login", "alice");
    await page.fill("#password", "secret");
    await page.click("button[type=submit]");
    await page.waitForSelector(".desktop-list");
    await visitPage(page, `${lab.url}/desktop/1`);
    await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
    await becomes(async () => Number(await page.evaluate(WINDOW_PIXELS)) > 50_000, "the window is painted");
    await page.mouse.click(280, 280, { delay: 150 });
    await page.waitForTimeout(400);
    await page.keyboard.type("from box to box");
    await page.keyboard.press("Enter");
    const typed = async () => (await lab.desktop.inside("tail -n 1 /home/alice/typed")) === "from box to box";
    await becomes(typed, "what was typed arrives");
    await page.hover("#bar");
    await page.click("#files-open");
    const file = { name: "far.txt", mimeType: "text/plain", buffer: Buffer.alloc(300_000, "far ") };
    await page.setInputFiles("#files-input", file);
    await page.waitForSelector("text=is there.");
    expect(await lab.desktop.inside("stat -c '%s %U' /home/alice/Downloads/far.txt")).toBe("300000 alice");
    await page.click("#files button[type=submit]");
    await page.hover("#bar");
    await page.click("#sound");
    const sink = async () => await lab.desktop.inside(`${AS_USER} pactl get-default-sink`);
    await becomes(async () => (await sink()) === "qvd_browser", "its sound goes to the browser");
    expect(lab.door.store.sessions.at(-1)?.elsewhere?.node).toBe("far");
    await context.close();
  },
  SLOW,
);
