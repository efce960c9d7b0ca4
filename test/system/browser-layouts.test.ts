/** Real keys of Spanish, Portuguese and German keyboards, dead ones too: a Chromium with a screen, and X's own layouts. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { openScreen, type Screen } from "../../bench/screen.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { visitPage } from "../support/visit-page.ts";
import { type BrowserLab, openBrowserLab, WINDOW_PIXELS } from "./browser-lab.ts";

const PLACE = { instance: "kbdlab", network: "172.29.11", screen: ":98" };

let lab: BrowserLab;
let screen: Screen;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  lab = await openBrowserLab(PLACE);
  screen = await openScreen();
  context = await chromium.launchPersistentContext("", {
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--window-position=0,0"],
    headless: false,
    env: { ...screen.env },
    ignoreHTTPSErrors: true,
    viewport: null,
  });
  page = context.pages()[0] ?? (await context.newPage());
  await visitPage(page, `${lab.url}/`);
  await page.fill("#login", "alice");
  await page.fill("#password", "secret");
  await page.click("button[type=submit]");
  await page.waitForSelector(".desktop-list");
  await visitPage(page, `${lab.url}/desktop/1`);
  await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
  const isPainted = async () => Number(await page.evaluate(WINDOW_PIXELS)) > 50_000;
  expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
  await page.mouse.move(280, 280);
  await page.mouse.down();
  await page.mouse.up();
}, 660_000);

afterAll(async () => {
  await context?.close();
  await screen?.close();
  await lab?.stop();
}, 180_000);

const x = (doing: string, ...command: readonly string[]) => runOk(doing, command, { env: { ...screen.env } });

describe("a keyboard with the layout", () => {
  for (const [layout, keys, text] of [
    [
      "es",
      ["ntilde", "ccedilla", "dead_acute", "a", "at", "EuroSign", "dead_diaeresis", "u", "question"],
      "ñçá@€ü?",
    ],
    ["pt", ["ccedilla", "dead_tilde", "a", "dead_circumflex", "e", "dead_grave", "a"], "çãêà"],
    ["de", ["udiaeresis", "ssharp", "y", "z", "dead_circumflex", "a", "EuroSign", "at"], "üßyzâ€@"],
  ] as const)
    test(`${layout} gives ${text}`, async () => {
      await x("setting the layout", "setxkbmap", "-layout", layout);
      await page.waitForTimeout(500);
      for (const key of [...keys, "Return"])
        await x("pressing a key", "xdotool", "key", "--delay", "40", key);
      const isTyped = async () => (await lab.desktop.inside("tail -n 1 /home/alice/typed")) === text;
      expect(
        await waitFor(isTyped, { timeoutMs: 60_000, everyMs: 50 }),
        await lab.desktop.inside("tail -n 1 /home/alice/typed"),
      ).toBe(true);
    }, 120_000);
});
