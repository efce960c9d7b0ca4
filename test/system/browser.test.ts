/** A person at a real desktop in a real browser, by the broker's own port. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { openScreen } from "../../bench/screen.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { connectRequest } from "../support/broker-door.ts";
import { Visit } from "../support/nx-visit.ts";
import { pageHolds } from "../support/page-holds.ts";
import { openTcpCutter } from "../support/tcp-cutter.ts";
import { visitPage } from "../support/visit-page.ts";
import { type BrowserLab, openBrowserLab } from "./browser-lab.ts";

const PLACE = { instance: "brwlab", network: "172.29.8", screen: ":95" };
const BACKGROUND = [0x20, 0x40, 0x80] as const;
const WINDOW = [0xc0, 0x20, 0x40] as const;
const SLOW = 240_000;

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
    // The desktop's start gives the machine another interface, at which Chromium breaks requests off.
    const isExpected = /401|403|net::ERR_NETWORK_CHANGED/.test(message.text());
    if (message.type() === "error" && !isExpected) complaints.push(message.text());
  });
  return { context, page, complaints };
}

async function signIn(page: Page, { password = "secret", url = lab.url } = {}): Promise<void> {
  await visitPage(page, `${url}/`);
  await page.fill("#login", "alice");
  await page.fill("#password", password);
  await page.click("button[type=submit]");
  // Whoever goes on before the answer takes its place, and isn't signed in.
  await page.waitForSelector(password === "secret" ? ".desktop-list" : "text=don't belong together");
}

async function openDesktop(page: Page, url = lab.url): Promise<void> {
  await visitPage(page, `${url}/desktop/1`);
  await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
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
  return (await waitFor(both, { timeoutMs: 60_000, everyMs: 100 })) === true;
}

async function hasTyped(text: string): Promise<boolean> {
  const isThere = async () => (await lab.desktop.inside("tail -n 1 /home/alice/typed")) === text;
  return (await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 })) === true;
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

async function becomesSized(page: Page, width: number, height: number): Promise<void> {
  const isSo = async () => (await sizeOf(page)) === `${width}x${height}`;
  expect(await waitFor(isSo, { timeoutMs: 60_000, everyMs: 50 }), await sizeOf(page)).toBe(true);
}

// The tests are the chapters of one desktop's life, in this order.
describe("a person in a browser", () => {
  test(
    "signs in on the clients' port, sees their desktops with their state, and opens one",
    async () => {
      const { context, page, complaints } = await arrive();
      await signIn(page, { password: "wrong" });
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
      await becomesSized(page, 1000, 700);
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
        await becomesSized(page, width, height);
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
      await page.waitForSelector("text=Connecting again", { timeout: 60_000 });
      await page.waitForTimeout(1_000);
      line.cut(false);
      await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
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
    "comes back by itself after a break in which the line swallowed all and nobody was told",
    async () => {
      const line = openTcpCutter(lab.door.port);
      const url = `https://127.0.0.1:${line.port}`;
      const { context, page } = await arrive();
      await signIn(page, { url });
      await openDesktop(page, url);
      // Until the page knows that this gateway answers.
      await page.waitForTimeout(25_000);
      line.swallow(true);
      await page.waitForSelector("text=Connecting again", { timeout: 90_000 });
      line.swallow(false);
      await page.waitForSelector("main[data-shown]", { timeout: 90_000 });
      expect(await isPainted(page)).toBe(true);
      await clickWindow(page);
      await page.keyboard.type("heard again");
      await page.keyboard.press("Enter");
      expect(await hasTyped("heard again")).toBe(true);
      await context.close();
      line.stop();
    },
    SLOW,
  );

  test(
    "comes back by itself when the agent in the desktop dies, with its windows",
    async () => {
      const { context, page } = await sitDown();
      const windows = await lab.desktop.inside("pgrep -x xterm");
      // It is said for half a second, in which a busy machine may draw nothing.
      await page.evaluate(`(() => {
        const veil = document.getElementById("veil");
        window.said = [];
        new MutationObserver(() => said.push(veil.textContent))
          .observe(veil, { subtree: true, childList: true, characterData: true });
      })()`);
      await lab.desktop.inside("pkill -KILL -f '/opt/qvd/qvd'");
      const isTold = `said.some((text) => text.includes("The desktop has closed its screen."))`;
      expect(await pageHolds(page, isTold), `${await page.evaluate("said")}`).toBe(true);
      await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
      expect(await isPainted(page)).toBe(true);
      await clickWindow(page);
      await page.keyboard.type("as before");
      await page.keyboard.press("Enter");
      expect(await hasTyped("as before")).toBe(true);
      expect(await lab.desktop.inside("pgrep -x xterm")).toBe(windows);
      await context.close();
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
      expect(await waitFor(holds, { timeoutMs: 60_000, everyMs: 200 })).toBe(true);
      await copyInside("theirs");
      const has = async () => (await page.evaluate<string>("navigator.clipboard.readText()")) === "theirs";
      expect(await waitFor(has, { timeoutMs: 60_000, everyMs: 200 })).toBe(true);
      await context.close();
    },
    SLOW,
  );
});

describe("files", () => {
  test(
    "go to the desktop and come from it, whatever they are called, and belong to the person",
    async () => {
      const { context, page } = await sitDown();
      await page.hover("#bar");
      await page.click("#files-open");
      await page.evaluate(await Bun.file("node_modules/axe-core/axe.min.js").text());
      const findings = `axe.run().then(({violations}) => violations.map((one) => one.id + " " + one.nodes[0].target))`;
      expect(await page.evaluate<string[]>(findings)).toEqual([]);
      const bytes = Buffer.alloc(3_000_000, "quarter ");
      await page.setInputFiles("#files-input", {
        name: "../../.año nuevo.txt",
        mimeType: "text/plain",
        buffer: bytes,
      });
      await page.waitForSelector("text=is there.");
      expect(await lab.desktop.inside("cd /home/alice/Downloads && stat -c '%n %s %U' *")).toBe(
        "año nuevo.txt 3000000 alice",
      );
      await page.setInputFiles("#files-input", {
        name: "año nuevo.txt",
        mimeType: "text/plain",
        buffer: Buffer.from("2"),
      });
      await page.waitForSelector("text=(2) año nuevo.txt is there.");
      await lab.desktop.inside(
        "head -c 20000000 /dev/urandom > /home/alice/Downloads/big.bin; sha256sum /home/alice/Downloads/big.bin > /tmp/sum",
      );
      await page.click("#files button[type=submit]");
      await page.hover("#bar");
      await page.click("#files-open");
      const coming = page.waitForEvent("download");
      await page.click("#files-list a:has-text('big.bin')");
      const path = await (await coming).path();
      const sum = new Bun.CryptoHasher("sha256").update(await Bun.file(path).arrayBuffer()).digest("hex");
      expect(await lab.desktop.inside("cat /tmp/sum")).toStartWith(sum);
      await context.close();
    },
    SLOW,
  );

  test(
    "are given as the person may read them, and no others",
    async () => {
      const { context, page } = await sitDown();
      await lab.desktop.inside(
        "ln -s /etc/shadow /home/alice/Downloads/shadow; mkfifo /home/alice/Downloads/fifo",
      );
      for (const name of ["shadow", "fifo", "..%2F..%2Fetc%2Fpasswd", "nothing"]) {
        const answer = await context.request.get(`${lab.url}/desktop/1/files/${name}`);
        expect(answer.ok(), name).toBe(false);
        expect(await answer.text()).not.toContain("root:");
      }
      await page.close();
      await context.close();
    },
    SLOW,
  );
});

describe("the same session in the browser and in an NX client", () => {
  const ALICE = { login: "alice", password: "secret", vmId: 1 };

  test("goes on in either, with its windows, and the older one is told", async () => {
    const screen = await openScreen();
    const { context, page } = await sitDown();
    const windows = await lab.desktop.inside("pgrep -x xterm");
    const visit = await Visit.open(screen, lab.door.port, ALICE, { colour: "#204080" });
    await page.waitForSelector("text=Shown elsewhere", { timeout: 60_000 });
    expect(await lab.desktop.inside("pgrep -x xterm")).toBe(windows);
    await page.click("#again");
    await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
    expect(await isPainted(page)).toBe(true);
    expect(await lab.desktop.inside("pgrep -x xterm")).toBe(windows);
    await visit.leave();
    await context.close();
    await screen.close();
  }, 180_000);

  test("comes to the browser also from an NX client that never said a word", async () => {
    const { context, page } = await sitDown();
    const nx = await lab.door.open();
    nx.send(connectRequest(1));
    await page.waitForSelector("text=Shown elsewhere", { timeout: 60_000 });
    expect((await nx.answer(20_000)).status).toBe(101);
    nx.terminate();
    await page.click("#again");
    await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
    expect(await isPainted(page)).toBe(true);
    await context.close();
  }, 180_000);
});
