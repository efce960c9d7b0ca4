/** A person at a real desktop with their fingers: taps, gestures, and the keyboard of the screen; and the full screen. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";
import { pageHolds } from "../support/page-holds.ts";
import { visitPage } from "../support/visit-page.ts";
import { type BrowserLab, openBrowserLab } from "./browser-lab.ts";

const PLACE = { instance: "tchlab", network: "172.29.22", screen: ":86" };
const PHONE = { width: 400, height: 800 };
const SLOW = 240_000;

let lab: BrowserLab;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let fingers: CDPSession;

beforeAll(async () => {
  lab = await openBrowserLab(PLACE);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  context = await browser.newContext({
    ...{ ignoreHTTPSErrors: true, viewport: PHONE, hasTouch: true, isMobile: true },
  });
  page = await context.newPage();
  fingers = await context.newCDPSession(page);
  await visitPage(page, `${lab.url}/`);
  await page.fill("#login", "alice");
  await page.fill("#password", "secret");
  await page.click("button[type=submit]");
  await page.waitForSelector(".desktop-list");
  await visitPage(page, `${lab.url}/desktop/1`);
  await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
}, 660_000);
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
}, SLOW);

type Point = { readonly x: number; readonly y: number };

async function touch(
  type: "touchStart" | "touchMove" | "touchEnd",
  ...points: readonly Point[]
): Promise<void> {
  await fingers.send("Input.dispatchTouchEvent", {
    type,
    touchPoints: points.map((point, id) => ({ ...point, id })),
  });
}

/** Several fingers from their first points to their last, in some steps. */
async function slide(from: readonly Point[], to: readonly Point[], steps = 12): Promise<void> {
  await touch("touchStart", ...from);
  for (let step = 1; step <= steps; step++) {
    const part = (at: number, key: keyof Point) =>
      (from[at]?.[key] ?? 0) + (((to[at]?.[key] ?? 0) - (from[at]?.[key] ?? 0)) * step) / steps;
    await touch("touchMove", ...from.map((_, at) => ({ x: part(at, "x"), y: part(at, "y") })));
    await page.waitForTimeout(20);
  }
  await touch("touchEnd");
}

const hasHeard = async (path: string, test: (text: string) => boolean, timeoutMs = 60_000) =>
  (await waitFor(async () => test(await lab.desktop.inside(`cat ${path} 2>/dev/null || true`)), {
    timeoutMs,
    everyMs: 100,
  })) === true;

const MIDDLE = { x: 200, y: 400 };
const COMES = {
  "a tap": [() => tap(), "<0;"],
  "a finger that rests": [() => rest(), "<2;"],
  "a tap of two fingers": [() => tap({ x: 260, y: 400 }), "<2;"],
  "two fingers that move up": [
    () =>
      slide(
        [MIDDLE, { x: 260, y: 400 }],
        [
          { x: 200, y: 150 },
          { x: 260, y: 150 },
        ],
      ),
    "<65;",
  ],
  "two fingers that move down": [
    () =>
      slide(
        [MIDDLE, { x: 260, y: 400 }],
        [
          { x: 200, y: 650 },
          { x: 260, y: 650 },
        ],
      ),
    "<64;",
  ],
  "two fingers that part": [
    () =>
      slide(
        [
          { x: 180, y: 400 },
          { x: 220, y: 400 },
        ],
        [
          { x: 40, y: 400 },
          { x: 360, y: 400 },
        ],
      ),
    "<80;",
  ],
} as const satisfies Record<string, readonly [() => Promise<void>, string]>;

async function tap(...more: readonly Point[]): Promise<void> {
  await touch("touchStart", MIDDLE, ...more);
  await page.waitForTimeout(60);
  await touch("touchEnd");
}

async function rest(): Promise<void> {
  await touch("touchStart", MIDDLE);
  await page.waitForTimeout(1_300);
  await touch("touchEnd");
}

describe("fingers on the screen", () => {
  beforeAll(async () => {
    // A terminal that writes down which buttons it is told of.
    const listen = `stty raw -echo; printf "\\033[?1000h\\033[?1006h"; touch /tmp/mouse-ready; exec cat > /tmp/mouse`;
    await lab.desktop.inside(`cat > /tmp/listen <<'END'\n${listen}\nEND\n`);
    await lab.desktop.inside(
      "DISPLAY=:100 xterm -geometry 200x100+0+0 -e sh /tmp/listen >/dev/null 2>&1 & sleep 1; true",
    );
    expect(
      await waitFor(async () => (await lab.desktop.inside("ls /tmp")).includes("mouse-ready"), {
        timeoutMs: 60_000,
      }),
    ).toBe(true);
  }, SLOW);

  for (const [name, [act, button]] of Object.entries(COMES))
    test(
      `${name} comes as ${button}`,
      async () => {
        // Fingers are told apart by time, and a busy machine's are slow: such a one is tried again.
        const comes = async () => {
          await lab.desktop.inside(": > /tmp/mouse");
          await act();
          return hasHeard("/tmp/mouse", (text) => text.includes(button), 5_000);
        };
        expect(
          await waitFor(comes, { timeoutMs: 60_000 }),
          await lab.desktop.inside("cat -v /tmp/mouse"),
        ).toBe(true);
      },
      SLOW,
    );

  test("raise no keyboard by themselves", async () => {
    await tap();
    expect(await page.getAttribute(".screen-keys", "inputmode")).toBe("none");
  });
});

describe("the keyboard of the screen", () => {
  beforeAll(async () => {
    await lab.desktop.inside("pkill -f /tmp/listen; true");
    // Until its window is gone what is typed goes there.
    const isGone = async () => (await lab.desktop.inside("pgrep -f '[/]tmp/listen' || echo gone")) === "gone";
    expect(await waitFor(isGone, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
    await page.tap("#keyboard");
    await page.waitForTimeout(500);
    await touch("touchStart", { x: 150, y: 200 });
    await page.waitForTimeout(60);
    await touch("touchEnd");
    await page.waitForTimeout(500);
  }, SLOW);

  const compose = (text: string) =>
    fingers.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  const commit = (text: string) => fingers.send("Input.insertText", { text });
  const deleteOne = () => page.evaluate(`document.execCommand("delete")`);
  const hasTyped = (text: string) =>
    hasHeard("/home/alice/typed", (all) => all.trimEnd().endsWith(`\n${text}`) || all.trimEnd() === text);

  test("is asked for by its button, which says that it is there", async () => {
    await page.waitForSelector('#keyboard[aria-pressed="true"]');
    await page.waitForSelector('.screen-keys[inputmode="text"]', { state: "attached" });
    expect(await pageHolds(page, "document.activeElement.className === 'screen-keys'")).toBe(true);
  });

  test(
    "types each letter of a word once, and takes back what it corrects",
    async () => {
      for (const word of ["h", "he", "hel", "hell"]) await compose(word);
      await commit("hello");
      await commit(" ");
      for (const word of ["t", "te", "teh"]) await compose(word);
      await commit("the ");
      await compose("ende");
      await commit("end");
      await page.keyboard.press("Enter");
      expect(await hasTyped("hello the end"), await lab.desktop.inside("tail -n 2 /home/alice/typed")).toBe(
        true,
      );
    },
    SLOW,
  );

  test(
    "deletes letters that were typed before",
    async () => {
      await commit("wrong");
      for (let count = 0; count < 4; count++) await deleteOne();
      await commit("ell");
      await page.keyboard.press("Enter");
      expect(await hasTyped("well"), await lab.desktop.inside("tail -n 2 /home/alice/typed")).toBe(true);
    },
    SLOW,
  );

  test(
    "shows no steps of what is put together from sounds",
    async () => {
      await compose("かん");
      await commit("漢");
      await page.keyboard.press("Enter");
      expect(await hasTyped("漢"), await lab.desktop.inside("tail -n 2 /home/alice/typed")).toBe(true);
    },
    SLOW,
  );
});

describe("the full screen", () => {
  test(
    "holds the screen with all that belongs to it, and is left again",
    async () => {
      await page.tap("#fullscreen");
      expect(await pageHolds(page, "document.fullscreenElement === document.querySelector('main')")).toBe(
        true,
      );
      await page.waitForSelector('#fullscreen[aria-pressed="true"]');
      await page.tap("#share");
      await page.waitForSelector("#sharing");
      await page.tap("#sharing form button");
      await page.tap("#fullscreen");
      expect(await pageHolds(page, "document.fullscreenElement === null")).toBe(true);
      await page.waitForSelector('#fullscreen[aria-pressed="false"]');
      expect(await page.getAttribute("main", "data-shown")).toBe("");
    },
    SLOW,
  );
});

test("X has one screen, of any size: a second monitor is no screen of its own", async () => {
  const said = await lab.desktop.inside("DISPLAY=:100 xrandr");
  expect(said).toContain("maximum 32768 x 32768");
  expect(said.match(/ connected/g)).toHaveLength(1);
});
