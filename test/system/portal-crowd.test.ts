/** The sign-in page in a real browser, in a crowd: who is told to come again later needn't. */

import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { type Browser, chromium, type Page } from "playwright-core";
import type { AuthAnswer } from "../../src/wire/auth/messages.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import { playAuth } from "../support/played-auth.ts";
import { createTableWebStore } from "../support/table-web-store.ts";
import { visitPage } from "../support/visit-page.ts";

const SLOW = 300_000;
const TEXT = "Too many people sign in at the moment. Retry in about 1 seconds.";
const BUSY: AuthAnswer = { id: 0, outcome: "busy", text: TEXT, retryMs: 1_000 };

let browser: Browser;
let door: BrokerDoor;
const asked: string[] = [];
/** How many are to be told to come later. */
let busy = 0;
const auth = playAuth();

beforeAll(async () => {
  door = await openBrokerDoor({
    web: createTableWebStore(() => 1),
    auth: {
      ...auth,
      verify: async (question, signal) => {
        asked.push(question.proof.kind === "password" ? question.proof.password : question.proof.kind);
        return busy-- > 0 ? BUSY : await auth.verify(question, signal);
      },
    },
  });
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}, SLOW);
afterAll(async () => {
  await browser?.close();
  await door?.close();
}, SLOW);
afterEach(() => {
  asked.length = 0;
  busy = 0;
});

async function openForm(options: { readonly javaScriptEnabled?: boolean; readonly next?: string } = {}) {
  const { javaScriptEnabled = true, next } = options;
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled });
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  await visitPage(page, `https://127.0.0.1:${door.port}/sign-in${next === undefined ? "" : `?next=${next}`}`);
  return page;
}

async function submit(page: Page, password: string): Promise<void> {
  await page.fill("#login", "alice");
  await page.fill("#password", password);
  await page.click("button[type=submit]");
}

test(
  "the page says so, tries again by itself, and leads where it was to lead",
  async () => {
    busy = 2;
    const page = await openForm({ next: "%2Fsecond-factor" });
    await submit(page, "secret");
    await page.waitForSelector("text=this page tries again in");
    await page.waitForURL("**/second-factor");
    expect(asked).toEqual(["secret", "secret", "secret"]);
    await page.context().close();
  },
  SLOW,
);

test(
  "a wrong password is told as ever, and is not tried again",
  async () => {
    busy = 1;
    const page = await openForm();
    await submit(page, "wrong");
    await page.waitForSelector("text=don't belong together");
    expect(asked).toEqual(["wrong", "wrong"]);
    expect(await page.inputValue("#login")).toBe("alice");
    expect(await page.inputValue("#password")).toBe("");
    // What came in its place works like the first.
    await submit(page, "secret");
    await page.waitForURL(`https://127.0.0.1:${door.port}/`);
    await page.context().close();
  },
  SLOW,
);

test(
  "whoever types on has ended it",
  async () => {
    busy = 1_000;
    const page = await openForm();
    await submit(page, "secret");
    await page.waitForSelector("text=this page tries again in");
    await page.fill("#password", "another");
    await page.waitForSelector("text=this page tries again in", { state: "hidden" });
    await page.waitForSelector("button[type=submit]:enabled");
    const tries = asked.length;
    busy = 0;
    await page.fill("#password", "secret");
    await page.click("button[type=submit]");
    await page.waitForURL(`https://127.0.0.1:${door.port}/`);
    expect(asked).toHaveLength(tries + 1);
    await page.context().close();
  },
  SLOW,
);

test(
  "without scripts they are told to come again, and the login is still there",
  async () => {
    busy = 1;
    const page = await openForm({ javaScriptEnabled: false });
    await submit(page, "secret");
    await page.waitForSelector(`text=${TEXT}`);
    expect(await page.inputValue("#login")).toBe("alice");
    await page.context().close();
  },
  SLOW,
);
