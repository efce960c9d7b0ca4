/** Two browsers at one real session: who is asked, who sees whom, and who touches what. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { asId, type VmId } from "../../src/domain/ids.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { pageHolds } from "../support/page-holds.ts";
import { visitPage } from "../support/visit-page.ts";
import { type BrowserLab, openBrowserLab } from "./browser-lab.ts";

const PLACE = { instance: "vstlab", network: "172.29.21", screen: ":87" };
const VM = asId<VmId>(1);
const SLOW = 240_000;

let lab: BrowserLab;
let browser: Browser;
let owner: Page;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  lab = await openBrowserLab(PLACE);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}, 660_000);
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
}, SLOW);
beforeEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  owner = await arrive("alice");
  await visitPage(owner, `${lab.url}/desktop/1`);
  await owner.waitForSelector("main[data-shown]", { timeout: 60_000 });
}, SLOW);

async function arrive(login?: string): Promise<Page> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 900, height: 600 },
  });
  contexts.push(context);
  const page = await context.newPage();
  if (login === undefined) return page;
  await visitPage(page, `${lab.url}/`);
  await page.fill("#login", login);
  await page.fill("#password", "secret");
  await page.click("button[type=submit]");
  // The page of the sign-in has a main part, too.
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  return page;
}

async function comeToHelp(mayControl: boolean, needsConsent = true): Promise<Page> {
  const ticket = lab.visits.ask({ vmId: VM, mayControl, needsConsent });
  const helper = await arrive();
  await visitPage(helper, `${lab.url}/visit#${ticket}`);
  return helper;
}

async function shown(page: Page): Promise<void> {
  await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
  const isPainted = () =>
    page.evaluate<boolean>(`(() => {
      const canvas = document.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let red = 0;
      for (let at = 0; at < data.length; at += 4) if (data[at] > 180 && data[at + 1] < 60) red++;
      return red > 20000;
    })()`);
  expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
}

async function typeInto(page: Page, text: string): Promise<void> {
  await page.mouse.move(280, 280);
  await page.waitForTimeout(200);
  await page.mouse.down();
  await page.waitForTimeout(150);
  await page.mouse.up();
  await page.waitForTimeout(400);
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

const typed = () => lab.desktop.inside("tail -n 1 /home/alice/typed");
async function hasTyped(text: string): Promise<boolean> {
  return (await waitFor(async () => (await typed()) === text, { timeoutMs: 60_000, everyMs: 50 })) === true;
}

/** Noted at the time that the page is told, before or after it. */
async function hasEnded(cause: string): Promise<void> {
  const endCause = () => lab.visits.visits.at(-1)?.endCause;
  expect(await waitFor(() => endCause() === cause, { timeoutMs: 60_000 }), `${endCause()}`).toBe(true);
}

describe("an administrator", () => {
  test(
    "sees nothing before the person says yes, then sees and touches nothing, and is seen",
    async () => {
      const helper = await comeToHelp(false);
      await helper.waitForSelector("text=The person at the desktop is asked.");
      await owner.waitForSelector("#question[open]");
      expect(await owner.textContent("#question-text")).toBe("Administrator maria asks to see your desktop.");
      expect(await helper.getAttribute("main", "data-shown")).toBeNull();
      await owner.click("#question-yes");
      await shown(helper);
      await owner.waitForSelector("#watched:has-text('Administrator maria sees this desktop')");
      await helper.waitForSelector("#watching:has-text('You see vm1, and touch nothing on it.')");
      await typeInto(owner, "of the owner");
      expect(await hasTyped("of the owner")).toBe(true);
      // Their page could be changed to send keys; the gateway leaves them out.
      await typeInto(helper, "of the helper");
      await helper.waitForTimeout(1_000);
      expect(await typed()).toBe("of the owner");
    },
    SLOW,
  );

  test(
    "works in it where that was asked for and allowed, until the person ends it",
    async () => {
      const helper = await comeToHelp(true);
      await owner.waitForSelector("#question-text:has-text('work in it with you')");
      await owner.click("#question-yes");
      await shown(helper);
      await typeInto(helper, "from both sides");
      expect(await hasTyped("from both sides")).toBe(true);
      await owner.hover("#bar");
      await owner.click("#share");
      await owner.click("#sharing-list button:has-text('End')");
      await helper.waitForSelector("text=The person at the desktop has ended this.");
      await owner.waitForSelector("#watched", { state: "hidden" });
      expect(await owner.getAttribute("main", "data-shown")).toBe("");
      await hasEnded("sent-away");
    },
    SLOW,
  );

  test(
    "is told when the person says no, or puts the question away",
    async () => {
      for (const answer of [() => owner.click("#question-no"), () => owner.keyboard.press("Escape")]) {
        const helper = await comeToHelp(true);
        await owner.waitForSelector("#question[open]");
        await answer();
        await helper.waitForSelector("text=The person at the desktop said no.");
        await hasEnded("refused");
      }
    },
    SLOW,
  );

  test(
    "comes in unasked where the tenant says so, and is seen all the same",
    async () => {
      const helper = await comeToHelp(false, false);
      await shown(helper);
      await owner.waitForSelector("#watched:has-text('maria')");
      await helper.close();
      await owner.waitForSelector("#watched", { state: "hidden" });
    },
    SLOW,
  );

  test(
    "is sent away when the session ends",
    async () => {
      const helper = await comeToHelp(false, false);
      await shown(helper);
      await owner.close();
      await helper.waitForSelector("#veil-title:has-text('Over')");
    },
    SLOW,
  );
});

describe("an invited person", () => {
  async function invite(button: string): Promise<string> {
    await owner.hover("#bar");
    await owner.click("#share");
    await owner.click(button);
    // It is shown a moment before it is filled in.
    expect(await pageHolds(owner, "document.querySelector('#invitation').value !== ''")).toBe(true);
    return await owner.inputValue("#invitation");
  }

  test(
    "comes by a link, once, signed in, and works where invited to",
    async () => {
      const link = await invite("#invite-control");
      const guest = await arrive("bob");
      await visitPage(guest, link);
      await shown(guest);
      await owner.waitForSelector("#sharing-list:has-text('user3 sees and controls this desktop')");
      await owner.click("#sharing form button");
      await typeInto(guest, "of the guest");
      expect(await hasTyped("of the guest")).toBe(true);
      const second = await arrive("carol");
      await visitPage(second, link);
      await second.waitForSelector("#veil-title:has-text('Over')");
    },
    SLOW,
  );

  test(
    "doesn't without signing in, nor when the owner has withdrawn the link",
    async () => {
      const link = await invite("#invite-see");
      const stranger = await arrive();
      await visitPage(stranger, link);
      expect(stranger.url()).toContain("/sign-in");
      await visitPage(stranger, `${lab.url}/visit#${link.split("/").at(-1)}`);
      await stranger.waitForSelector("#veil-title:has-text('Over')");
      await owner.click("#sharing-list button:has-text('Withdraw')");
      const guest = await arrive("bob");
      await visitPage(guest, link);
      await guest.waitForSelector("#veil-title:has-text('Over')");
    },
    SLOW,
  );

  test(
    "the dialogues have no fault that axe knows",
    async () => {
      await invite("#invite-see");
      await owner.evaluate(await Bun.file("node_modules/axe-core/axe.min.js").text());
      const findings = `axe.run().then(({violations}) => violations.map((one) => one.id + " " + one.nodes[0].target))`;
      expect(await owner.evaluate<string[]>(findings)).toEqual([]);
    },
    SLOW,
  );
});
