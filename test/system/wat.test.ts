/** The WAT in a real browser: what a person does, and what those who can't see or use a mouse need. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";
import { onOnePage, pageHolds } from "../support/page-holds.ts";
import { visitPage } from "../support/visit-page.ts";
import { PASSWORD } from "../support/wat-site.ts";
import { startWat, type Wat } from "./wat-support.ts";

/** Each of some fifty pages is looked at by axe. */
const SLOW = 400_000;
const PAGES = [
  "/",
  "/desktops",
  "/desktops?search=nothing-like-it",
  "/desktops/4",
  "/desktops/4?events=65",
  "/desktops/9",
  "/desktops/new",
  "/desktops/4/change",
  "/desktops/4/delete",
  "/sessions",
  "/sessions?state=ended",
  "/settings",
  "/settings?part=other",
  "/settings?tenant=default",
  "/settings/slowed",
  "/settings/administrators",
  "/settings/administrators/2/delete",
  "/settings/tenants",
  "/settings/audit",
  "/settings/audit?search=vm.",
  "/account",
  "/settings/chain/change",
  "/settings/directory/change?tenant=acme",
  "/settings/directory/test?tenant=acme",
  "/users",
  "/users/1",
  "/users/5",
  "/users/new",
  "/users/1/change",
  "/users/1/password",
  "/users/1/second-factor",
  "/users/1/second-factor/reset",
  "/users/1/delete",
  "/images",
  "/images/new",
  "/images/2",
  "/images/1/publish",
  "/images/2/retire",
  "/images/2/tag",
  "/images/2/delete",
  "/images/osf/new",
  "/images/osf/1/change",
  "/nodes",
  "/nodes/1/change",
  "/nodes/1/drain",
  "/nodes/1/remove",
  "/properties/vm/1",
  "/properties/node/1",
  "/nowhere",
] as const;

let wat: Wat;
let browser: Browser;

beforeAll(async () => {
  wat = await startWat();
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}, SLOW);

afterAll(async () => {
  await browser?.close();
  await wat?.stop();
}, SLOW);

/**
 * What a page says besides where it isn't there: Chromium breaks requests off when an interface of the machine comes or
 * goes, and those of a page that is left. What the policy forbids has words of its own.
 */
const EXPECTED = ["404", "net::ERR_NETWORK_CHANGED", "Failed to fetch"];

type Look = {
  readonly width: number;
  readonly colorScheme: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
};

async function openContext(
  look: Look,
  site: Wat = wat,
): Promise<{ context: BrowserContext; page: Page; complaints: string[] }> {
  const { width, ...rest } = look;
  const viewport = { width, height: 860 };
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport, ...rest });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const isExpected = EXPECTED.some((text) => message.text().includes(text));
    if (message.type() === "error" && !isExpected) complaints.push(message.text());
  });
  await visitPage(page, `${site.url}/sign-in`);
  await page.fill("#login", "admin");
  await page.fill("#password", PASSWORD);
  await page.click("button[type=submit]");
  await page.waitForURL(`${site.url}/`);
  return { context, page, complaints };
}

/** What axe finds, as one line each. */
async function listAxeFindings(page: Page, name: string): Promise<string[]> {
  const axe = await readFile("node_modules/axe-core/axe.min.js", "utf8");
  const found = await onOnePage(async () => {
    await page.evaluate(axe);
    return await page.evaluate<{ id: string; help: string; targets: string[] }[]>(
      `axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations.map((v) =>
       ({id: v.id, help: v.help, targets: v.nodes.slice(0, 3).map((n) => n.target.join(" "))})))`,
    );
  });
  return found.map((finding) => `${name}: ${finding.id} (${finding.help}): ${finding.targets.join(", ")}`);
}

describe("every page", () => {
  for (const width of [1280, 400]) {
    for (const colorScheme of ["light", "dark"] as const) {
      test(
        `has nothing for axe to find, fits and breaks no policy: ${width} px, ${colorScheme}`,
        async () => {
          const { context, page, complaints } = await openContext({ width, colorScheme });
          const findings: string[] = [];
          for (const path of PAGES) {
            const before = complaints.length;
            // Without its scripts a page complains of that.
            await visitPage(page, wat.url + path, () => void complaints.splice(before));
            findings.push(...(await listAxeFindings(page, path)));
            const excess = await onOnePage(() =>
              page.evaluate<number>("document.documentElement.scrollWidth - innerWidth"),
            );
            if (excess > 0) findings.push(`${path}: is ${excess} px too wide`);
          }
          await context.close();
          expect([...findings, ...complaints].join("\n")).toBe("");
        },
        SLOW,
      );
    }
  }

  test(
    "of an empty site says what to do next, and has nothing for axe to find",
    async () => {
      const empty = await startWat({ isEmpty: true });
      const { context, page, complaints } = await openContext({ width: 400, colorScheme: "light" }, empty);
      const findings: string[] = [];
      for (const path of [
        "/",
        "/desktops",
        "/desktops/new",
        "/sessions",
        "/users",
        "/images",
        "/images/new",
        "/nodes",
      ]) {
        const before = complaints.length;
        await visitPage(page, empty.url + path, () => void complaints.splice(before));
        findings.push(...(await listAxeFindings(page, path)));
      }
      expect(await page.textContent("main")).toContain("qvd node run");
      await visitPage(page, `${empty.url}/desktops`);
      expect(await page.textContent("main")).toContain("Create a desktop");
      await context.close();
      await empty.stop();
      expect([...findings, ...complaints].join("\n")).toBe("");
    },
    SLOW,
  );

  test(
    "for those who are not signed in has nothing for axe to find",
    async () => {
      const findings: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, colorScheme });
        const page = await context.newPage();
        await visitPage(page, `${wat.url}/sign-in`);
        findings.push(...(await listAxeFindings(page, `sign-in ${colorScheme}`)));
        await page.fill("#login", "admin");
        await page.fill("#password", "wrong wrong wrong");
        await page.keyboard.press("Enter");
        await page.waitForSelector("[role=alert]");
        findings.push(...(await listAxeFindings(page, `refused ${colorScheme}`)));
        await context.close();
      }
      expect(findings.join("\n")).toBe("");
    },
    SLOW,
  );
});

describe("a person", () => {
  test(
    "starts a desktop in the list, and sees it come up without reloading",
    async () => {
      const { context, page } = await openContext({ width: 1280, colorScheme: "light" });
      await visitPage(page, `${wat.url}/desktops?search=ann-desk-1`);
      await page.evaluate("window.isSamePage = true");
      const row = page.locator("#desktop-1");
      await row.getByRole("button", { name: "Start" }).click();
      await row.getByText("start asked for").waitFor({ timeout: 20_000 });
      const owner = wat.database.open("qvd_owner").sql;
      await owner`update vm_reports set state = 'starting_2', state_at = now() where vm_id = 1`;
      await row.getByText("Booting").waitFor({ timeout: 20_000 });
      await owner`update vm_reports set state = 'running', state_at = now() where vm_id = 1`;
      await row.getByText("Running").waitFor({ timeout: 20_000 });
      expect(await page.evaluate("window.isSamePage === true")).toBe(true);
      await row.getByRole("button", { name: "Stop" }).click();
      await row.getByText("stop asked for").waitFor({ timeout: 20_000 });
      expect(await owner`select wish from vms where id = 1`).toEqual([{ wish: "stopped" }] as never);
      await context.close();
    },
    SLOW,
  );

  test(
    "keeps the page and is told above it when something can't be done, and by whom",
    async () => {
      const { context, page } = await openContext({ width: 1280, colorScheme: "light" });
      await visitPage(page, `${wat.url}/desktops/9`);
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByText("unblock it first").waitFor({ timeout: 20_000 });
      await context.route("**/desktops/9/*", (route) =>
        route.fulfill({ status: 503, body: "<main id=main><div class=empty><p>Away." }),
      );
      await page.getByRole("button", { name: "Start" }).click();
      await page.locator("[data-trouble]").getByText("Away.").waitFor({ timeout: 20_000 });
      expect(await page.textContent("h1")).toBe("<b>bold</b>");
      await context.unroute("**/desktops/9/*");
      await page.locator("[data-trouble]").waitFor({ state: "detached", timeout: 20_000 });
      await context.close();
    },
    SLOW,
  );

  test(
    "reads the trail back, and goes on seeing it when something changes or the page is reloaded",
    async () => {
      const owner = wat.database.open("qvd_owner").sql;
      await owner`insert into vm_events (vm_id, code, text, wish_generation)
        select 3, 'health-fault', 'Trouble number ' || n || '.', 1 from generate_series(1, 40) n`;
      const { context, page } = await openContext({ width: 400, colorScheme: "light" });
      await visitPage(page, `${wat.url}/desktops/3`);
      const steps = page.locator(".trail-item");
      expect(await steps.count()).toBe(15);
      await page.evaluate("window.isSamePage = true");
      await page.getByRole("link", { name: "Show older" }).click();
      await page.getByText("Trouble number 1.", { exact: true }).waitFor({ timeout: 20_000 });
      expect(await page.evaluate("window.isSamePage === true")).toBe(true);
      expect(new URL(page.url()).search).toBe("?events=65");
      await owner`insert into vm_events (vm_id, code, text, wish_generation)
        values (3, 'health-restored', 'All is well.', 1)`;
      await page.getByText("All is well.").waitFor({ timeout: 20_000 });
      const shown = await steps.count();
      expect(shown).toBeGreaterThan(40);
      await visitPage(page, page.url());
      expect(await steps.count()).toBe(shown);
      await context.close();
    },
    SLOW,
  );

  test(
    "finds a desktop while typing, and a reload shows the same",
    async () => {
      const { context, page } = await openContext({ width: 1280, colorScheme: "light" });
      await visitPage(page, `${wat.url}/desktops`);
      await page.keyboard.press("/");
      // Typed once more where the machine's network changed under the question.
      const isGone = async () => {
        await page.keyboard.press("Control+A");
        await page.keyboard.type("carla");
        const isHere = async () => (await page.locator("#desktop-1").count()) > 0;
        return waitFor(async () => !(await isHere()), { timeoutMs: 10_000, everyMs: 50 });
      };
      expect(await waitFor(isGone, { timeoutMs: 40_000 })).toBe(true);
      // What was typed so far is looked up meanwhile.
      await page.waitForURL(/search=carla$/);
      const isFound = async () => (await page.locator("tbody tr").count()) === 2;
      expect(await waitFor(isFound, { timeoutMs: 20_000 })).toBe(true);
      await visitPage(page, page.url());
      expect(await page.locator("tbody tr").count()).toBe(2);
      await context.close();
    },
    SLOW,
  );

  test(
    "without JavaScript creates a user, is told what is wrong, gives them a desktop and starts it",
    async () => {
      const { context, page } = await openContext({
        width: 400,
        colorScheme: "light",
        javaScriptEnabled: false,
      });
      await visitPage(page, `${wat.url}/users/new`);
      await page.fill("#login", "frida");
      await page.selectOption("#tenantId", { label: "default" });
      await page.fill("#password", "long enough");
      await page.fill("#passwordAgain", "something else");
      await page.click("text=Create the user");
      expect(await page.textContent("#passwordAgain-error")).toContain("differ");
      expect(await page.inputValue("#login")).toBe("frida");
      await page.fill("#password", "long enough");
      await page.fill("#passwordAgain", "long enough");
      await page.click("text=Create the user");
      await page.click("main >> text=Create a desktop >> nth=0");
      await page.selectOption("#osfId", { label: "office (default)" });
      await page.click("text=Create the desktop");
      await page.waitForSelector("h1:text-is('frida-desk')");
      await page.click("main >> role=button[name='Start']");
      await page.waitForSelector("main:has-text('Start asked for')");
      await context.close();
    },
    SLOW,
  );

  test(
    "reaches the content and signs out by keyboard alone",
    async () => {
      const { context, page } = await openContext({ width: 1280, colorScheme: "light" });
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to the content");
      await page.keyboard.press("Enter");
      expect(await pageHolds(page, "document.activeElement.id === 'main'")).toBe(true);
      await page.getByRole("button", { name: "Sign out" }).focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(`${wat.url}/sign-in`);
      await visitPage(page, `${wat.url}/desktops`);
      expect(page.url()).toContain("/sign-in?next=");
      await context.close();
    },
    SLOW,
  );

  test(
    "switches the colours, whatever the system says",
    async () => {
      const { context, page } = await openContext({ width: 1280, colorScheme: "light" });
      const ground = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
      const light = await ground();
      for (const name of [/switch to light/, /switch to dark/])
        await page.getByRole("button", { name }).click();
      expect(
        await pageHolds(
          page,
          `getComputedStyle(document.documentElement).backgroundColor !== ${JSON.stringify(light)}`,
        ),
      ).toBe(true);
      await context.close();
    },
    SLOW,
  );

  test(
    "sends an image with its progress and enrols it",
    async () => {
      const { context, page, complaints } = await openContext({ width: 1280, colorScheme: "light" });
      await visitPage(page, `${wat.url}/images/new?osf=1`);
      await page.setInputFiles("#file", {
        name: "office-15.tar",
        mimeType: "application/x-tar",
        buffer: Buffer.alloc(300_000, 7),
      });
      await page.getByRole("button", { name: "Send the file" }).click();
      await page.waitForURL(/file=office-15.tar/);
      expect((await Bun.file(`${wat.incomingFolder}/office-15.tar`).bytes()).length).toBe(300_000);
      await page.fill("#version", "2026-12-01");
      await page.click("role=button[name='Add the image']");
      await page.waitForURL(/\/images\/\d+$/);
      expect(await page.textContent("main")).toContain("2026-12-01");
      expect(await page.textContent("main")).toContain("Waiting");
      await visitPage(page, `${wat.url}/images/new?osf=1`);
      await page.setInputFiles("#file", {
        name: "office-15.tar",
        mimeType: "application/x-tar",
        buffer: Buffer.alloc(10, 1),
      });
      await page.getByRole("button", { name: "Send the file" }).click();
      await page.getByText("was uploaded already").waitFor();
      expect(complaints.filter((text) => !text.includes("409"))).toEqual([]);
      await context.close();
    },
    SLOW,
  );
});
