/** Users' pages in a real browser: what they look like in both themes and sizes, and what axe says of them. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readFile } from "node:fs/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { onOnePage } from "../support/page-holds.ts";
import { createTableWebStore } from "../support/table-web-store.ts";
import { visitPage } from "../support/visit-page.ts";

const SLOW = 300_000;
/** Where pictures of the pages go, for people to look at; none are made without. */
const PICTURES = process.env.QVD_TEST_PICTURES;

let door: BrokerDoor;
let browser: Browser;

beforeAll(async () => {
  door = await openBrokerDoor({ web: createTableWebStore((vmId) => (vmId < 10 ? 1 : 2)) });
  const states = ["stopped", "starting_1", "running", "stopping_2"] as const;
  for (const [index, state] of states.entries())
    door.store.addDesktop(index + 1, 1, { state, name: `desk-${state}` });
  door.store.addDesktop(5, 1, {
    name: "a-desktop-with-a-name-that-does-not-end-anywhere-near-the-edge",
    isBlocked: true,
  });
  door.store.addDesktop(6, 1, { name: "broken" });
  door.store.onRequest = (session) => {
    if (session.vmId === asId<VmId>(6)) {
      Object.assign(session, { state: "failed", faultText: "The image has no x11vnc." });
    } else door.store.append(session.vmId, "start-queued", "Waits for its turn: place 3 of 7.");
    door.wake(session.vmId);
  };
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}, SLOW);

afterAll(async () => {
  await browser?.close();
  await door?.close();
}, SLOW);

type Look = { readonly colorScheme: "light" | "dark"; readonly width: number };
const LOOKS: readonly Look[] = [
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 1280 },
  { colorScheme: "light", width: 400 },
  { colorScheme: "dark", width: 400 },
];

async function listAxeFindings(page: Page): Promise<string[]> {
  const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
  return await onOnePage(async () => {
    await page.evaluate(axe);
    return await page.evaluate<string[]>(
      `axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations.map((v) =>
       v.id + ": " + v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(", ")))`,
    );
  });
}

async function judge(page: Page, name: string, look: Look): Promise<void> {
  if (PICTURES !== undefined) {
    await mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: `${PICTURES}/${name}-${look.colorScheme}-${look.width}.png` });
  }
  expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth"), name).toBe(0);
  expect(await listAxeFindings(page), `${name} ${look.colorScheme} ${look.width}`).toEqual([]);
}

describe("users' pages", () => {
  for (const look of LOOKS) {
    test(
      `are in order in ${look.colorScheme} colours at ${look.width} pixels`,
      async () => {
        const { width, colorScheme } = look;
        const context = await browser.newContext({
          ignoreHTTPSErrors: true,
          viewport: { width, height: 800 },
          colorScheme,
          bypassCSP: true,
        });
        const page = await context.newPage();
        const url = `https://127.0.0.1:${door.port}`;
        await visitPage(page, `${url}/`);
        await judge(page, "sign-in", look);
        await page.fill("#login", "alice");
        await page.fill("#password", "wrong");
        await page.click("button[type=submit]");
        await page.waitForSelector("text=don't belong together");
        await judge(page, "sign-in-refused", look);
        await page.fill("#password", "secret");
        await page.click("button[type=submit]");
        await page.waitForSelector(".desktop-list");
        await judge(page, "desktops", look);
        await visitPage(page, `${url}/second-factor`);
        await page.waitForSelector("text=None is set up.");
        await judge(page, "second-factor", look);
        await visitPage(page, `${url}/desktop/1`);
        await page.waitForSelector("text=place 3 of 7");
        await judge(page, "opening", look);
        await visitPage(page, `${url}/desktop/6`);
        await page.waitForSelector("text=no x11vnc");
        await judge(page, "refused", look);
        await visitPage(page, `${url}/nowhere`);
        await judge(page, "nowhere", look);
        await context.close();
      },
      SLOW,
    );
  }

  for (const look of LOOKS.slice(3))
    test(
      `ask for a code once more, with nothing lost, in ${look.colorScheme} colours at ${look.width} pixels`,
      async () => {
        const { width, colorScheme } = look;
        const viewport = { width, height: 800 };
        const context = await browser.newContext({
          ignoreHTTPSErrors: true,
          bypassCSP: true,
          viewport,
          colorScheme,
        });
        const page = await context.newPage();
        await visitPage(page, `https://127.0.0.1:${door.port}/`);
        await page.fill("#login", "dora");
        await page.fill("#password", "secret");
        await page.click("button[type=submit]");
        await page.fill("#code", "000000");
        await page.click("button[type=submit]");
        await page.waitForSelector("text=This code is not right");
        expect(await page.inputValue("input[name=login]")).toBe("dora");
        await judge(page, "code-refused", look);
        await context.close();
      },
      SLOW,
    );

  test(
    "say so where there is no desktop",
    async () => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true });
      const page = await context.newPage();
      await visitPage(page, `https://127.0.0.1:${door.port}/`);
      await page.fill("#login", "bob");
      await page.fill("#password", "secret");
      await page.click("button[type=submit]");
      await page.waitForSelector("text=You have no desktop");
      await judge(page, "no-desktop", { colorScheme: "light", width: 1280 });
      await context.close();
    },
    SLOW,
  );

  test(
    "follow the desktops' states without a reload",
    async () => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      await visitPage(page, `https://127.0.0.1:${door.port}/`);
      await page.fill("#login", "alice");
      await page.fill("#password", "secret");
      await page.click("button[type=submit]");
      await page.waitForSelector(".desktop-list");
      const desktop = door.store.desktops.get(asId<VmId>(1));
      if (desktop !== undefined) desktop.state = "zombie_1";
      await page.waitForSelector("text=Not answering", { timeout: 10_000 });
      await context.close();
    },
    SLOW,
  );
});
