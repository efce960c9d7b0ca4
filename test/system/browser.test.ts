/** A person at a real desktop in a real browser, by the broker's own port. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";
import { type BrowserLab, openBrowserLab } from "./browser-lab.ts";

const PLACE = { instance: "brwlab", network: "10.93.8", screen: ":95" };
const BACKGROUND = [0x20, 0x40, 0x80] as const;
const WINDOW = [0xc0, 0x20, 0x40] as const;
const SLOW = 120_000;

let lab: BrowserLab;
let browser: Browser;

beforeAll(async () => {
  lab = await openBrowserLab(PLACE);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}, 660_000);

afterAll(async () => {
  await browser?.close();
  await lab?.stop();
}, SLOW);

type Visitor = { readonly context: BrowserContext; readonly page: Page; readonly complaints: string[] };

async function arrive(): Promise<Visitor> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1000, height: 700 },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/401|403/.test(message.text())) complaints.push(message.text());
  });
  return { context, page, complaints };
}

async function signIn(page: Page, password = "secret"): Promise<void> {
  await page.goto(`${lab.url}/`);
  await page.fill("#login", "alice");
  await page.fill("#password", password);
  await page.click("button[type=submit]");
}

async function openDesktop(page: Page): Promise<void> {
  await page.goto(`${lab.url}/desktop/1`);
  await page.waitForSelector("main[data-shown]", { timeout: 30_000 });
}

/** How many pixels of the canvas have that colour, a few shades off counted: it came as JPEG. */
function countPixels(page: Page, [red, green, blue]: readonly [number, number, number]): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector("canvas");
    if (!canvas) return 0;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4)
      if (Math.max(Math.abs(data[at] - ${red}), Math.abs(data[at + 1] - ${green}), Math.abs(data[at + 2] - ${blue})) < 6)
        count++;
    return count;
  })()`);
}

async function isPainted(page: Page): Promise<boolean> {
  const both = async () =>
    (await countPixels(page, WINDOW)) > 50_000 && (await countPixels(page, BACKGROUND)) > 200_000;
  return (await waitFor(both, { timeoutMs: 15_000, everyMs: 100 })) === true;
}

async function hasTyped(text: string): Promise<boolean> {
  const isThere = async () => (await lab.desktop.inside("tail -n 1 /home/alice/typed")) === text;
  return (await waitFor(isThere, { timeoutMs: 8_000, everyMs: 50 })) === true;
}

describe("a person in a browser", () => {
  test(
    "signs in on the clients' port, sees their desktops with their state, and opens one",
    async () => {
      const { context, page, complaints } = await arrive();
      await signIn(page, "wrong");
      await page.waitForSelector("text=don't belong together");
      await signIn(page);
      await page.waitForSelector("text=Your desktops");
      expect(await page.textContent(".desktop-list")).toContain("vm1");
      expect(await page.textContent(".desktop-list")).toContain("Stopped");
      expect(await page.textContent(".desktop-list")).not.toContain("vm3");
      await page.click("a[href='/desktop/1']");
      await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
      expect(await isPainted(page)).toBe(true);
      expect(complaints).toEqual([]);
      await context.close();
    },
    SLOW,
  );

  test(
    "types and clicks",
    async () => {
      const { context, page } = await arrive();
      await signIn(page);
      await openDesktop(page);
      expect(await isPainted(page)).toBe(true);
      await page.mouse.click(300, 300);
      await page.waitForTimeout(500);
      await page.keyboard.type("typed in the Browser 42");
      await page.keyboard.press("Enter");
      expect(await hasTyped("typed in the Browser 42")).toBe(true);
      await context.close();
    },
    SLOW,
  );
});
