/** A person at a real desktop in a real browser, by the broker's own port. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";
import { connectRequest } from "../support/broker-door.ts";
import { openTcpCutter } from "../support/tcp-cutter.ts";
import { visitPage } from "../support/visit-page.ts";
import { type BrowserLab, openBrowserLab } from "./browser-lab.ts";
import { createScreen } from "./guest-lab.ts";

const PLACE = { instance: "brwlab", network: "172.29.8", screen: ":95" };
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

async function signIn(page: Page, { password = "secret", url = lab.url } = {}): Promise<void> {
  await visitPage(page, `${url}/`);
  await page.fill("#login", "alice");
  await page.fill("#password", password);
  await page.click("button[type=submit]");
}

async function openDesktop(page: Page, url = lab.url): Promise<void> {
  await visitPage(page, `${url}/desktop/1`);
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

/** Signed in, at the desktop, with the focus in its window. */
async function sitDown(): Promise<Visitor> {
  const visitor = await arrive();
  const { page } = visitor;
  await signIn(page);
  await openDesktop(page);
  expect(await isPainted(page)).toBe(true);
  await clickWindow(page);
  return visitor;
}

async function clickWindow(page: Page): Promise<void> {
  await page.mouse.move(280, 280);
  await page.waitForTimeout(200);
  await page.mouse.down();
  await page.waitForTimeout(150);
  await page.mouse.up();
  await page.waitForTimeout(400);
}

function sizeOf(page: Page): Promise<string> {
  return page.evaluate<string>(
    `(() => { const c = document.querySelector("canvas"); return c.width + "x" + c.height; })()`,
  );
}

// The tests are the chapters of one desktop's life, in this order.
describe("a person in a browser", () => {
  test(
    "signs in on the clients' port, sees their desktops with their state, and opens one",
    async () => {
      const { context, page, complaints } = await arrive();
      await signIn(page, { password: "wrong" });
      await page.waitForSelector("text=don't belong together");
      await signIn(page);
      await page.waitForSelector("h1:has-text('Your desktops')");
      const list = await page.textContent(".desktop-list");
      expect(list).toContain("vm1");
      expect(list).toContain("Stopped");
      expect(list).toContain("Offline for maintenance");
      expect(list).not.toContain("vm3");
      await page.click("a[href='/desktop/1']");
      await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
      expect(await isPainted(page)).toBe(true);
      expect(await sizeOf(page)).toBe("1000x700");
      expect(complaints).toEqual([]);
      await context.close();
    },
    SLOW,
  );

  test(
    "types letters of their own layout, by key and by input method",
    async () => {
      const { context, page } = await sitDown();
      await page.keyboard.type("typed in the Browser 42");
      await page.keyboard.press("Enter");
      expect(await hasTyped("typed in the Browser 42")).toBe(true);
      const keyboard = await context.newCDPSession(page);
      for (const [key, code] of Object.entries({
        ñ: "Semicolon",
        ç: "Backslash",
        ã: "KeyA",
        ü: "BracketLeft",
        ß: "Minus",
        "€": "KeyE",
        "@": "KeyQ",
      })) {
        const event = { key, code, text: key, unmodifiedText: key };
        await keyboard.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
        await keyboard.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
      }
      await page.keyboard.press("Enter");
      expect(await hasTyped("ñçãüß€@")).toBe(true);
      await keyboard.send("Input.imeSetComposition", { text: "かん", selectionStart: 2, selectionEnd: 2 });
      await keyboard.send("Input.insertText", { text: "漢" });
      await page.keyboard.insertText("â");
      await page.keyboard.press("Enter");
      expect(await hasTyped("漢â")).toBe(true);
      await context.close();
    },
    SLOW,
  );

  test(
    "changes the window's size, and the session follows",
    async () => {
      const { context, page } = await sitDown();
      for (const [width, height] of [
        [1300, 800],
        [900, 500],
      ] as const) {
        await page.setViewportSize({ width, height });
        const follows = async () => (await sizeOf(page)) === `${width}x${height}`;
        expect(await waitFor(follows, { timeoutMs: 8_000, everyMs: 50 }), await sizeOf(page)).toBe(true);
      }
      await context.close();
    },
    SLOW,
  );

  test(
    "comes back by itself after a break of the network",
    async () => {
      const line = openTcpCutter(lab.door.port);
      const url = `https://127.0.0.1:${line.port}`;
      const { context, page } = await arrive();
      await signIn(page, { url });
      await openDesktop(page, url);
      line.cut(true);
      await page.waitForSelector("text=Connecting again", { timeout: 10_000 });
      await page.waitForTimeout(1_000);
      line.cut(false);
      await page.waitForSelector("main[data-shown]", { timeout: 20_000 });
      expect(await isPainted(page)).toBe(true);
      await clickWindow(page);
      await page.keyboard.type("back again");
      await page.keyboard.press("Enter");
      expect(await hasTyped("back again")).toBe(true);
      await context.close();
      line.stop();
    },
    SLOW,
  );

  test(
    "shares the clipboard when they say so, and not before",
    async () => {
      const { context, page } = await sitDown();
      const copyInside = (text: string) =>
        lab.desktop.inside(
          `printf %s '${text}' | DISPLAY=:100 timeout 20 xclip -selection clipboard -loops 2 >/dev/null 2>&1 &`,
        );
      await page.evaluate(`navigator.clipboard.writeText("mine")`);
      await copyInside("first");
      await page.waitForTimeout(1_500);
      expect(await page.evaluate<string>("navigator.clipboard.readText()")).toBe("mine");
      await page.hover("#bar");
      await page.click("#clipboard");
      const holds = async () =>
        (await lab.desktop.inside("DISPLAY=:100 timeout 3 xclip -selection clipboard -o")) === "mine";
      expect(await waitFor(holds, { timeoutMs: 8_000, everyMs: 200 })).toBe(true);
      await copyInside("theirs");
      const has = async () => (await page.evaluate<string>("navigator.clipboard.readText()")) === "theirs";
      expect(await waitFor(has, { timeoutMs: 8_000, everyMs: 200 })).toBe(true);
      await context.close();
    },
    SLOW,
  );
});

describe("the same session in the browser and in an NX client", () => {
  test("goes on in either, with its windows, and the older one is told", async () => {
    const screen = await createScreen(PLACE);
    const { context, page } = await sitDown();
    const windows = await lab.desktop.inside("pgrep -x xterm");
    const nx = await lab.door.open();
    nx.send(connectRequest(1));
    await page.waitForSelector("text=Shown elsewhere", { timeout: 10_000 });
    await waitFor(() => lab.channels.read(lab.desktop.vmId)?.xState === "listening", {
      timeoutMs: 10_000,
      everyMs: 20,
    });
    expect(await lab.desktop.inside("pgrep -x xterm")).toBe(windows);
    nx.terminate();
    await page.click("#again");
    await page.waitForSelector("main[data-shown]", { timeout: 90_000 });
    expect(await isPainted(page)).toBe(true);
    expect(await lab.desktop.inside("pgrep -x xterm")).toBe(windows);
    await context.close();
    await screen.stop();
  }, 180_000);
});
