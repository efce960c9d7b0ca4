/** The screen of a real machine in a real browser: for administrators from the WAT, for its person where its OSF says so. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";
import { orNextPage } from "../support/page-holds.ts";
import { PAINTED } from "../support/painting-machine.ts";
import { visitPage } from "../support/visit-page.ts";
import { PASSWORD } from "../support/wat-site.ts";
import { type ConsoleLab, openConsoleLab } from "./console-lab.ts";

const SLOW = 240_000;
let lab: ConsoleLab;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  lab = await openConsoleLab();
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await lab?.stop();
}, SLOW);
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1000, height: 700 } });
  lab.sendTo("near");
});

type Colour = keyof typeof PAINTED;

/** The colour in the middle of the screen; `undefined` while there is none of the machine's. */
async function colourOf(page: Page): Promise<Colour | undefined> {
  const pixel = await page.evaluate<readonly number[] | null>(`(() => {
    const canvas = document.querySelector("canvas");
    return canvas && [...canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data];
  })()`);
  const isNear = (colour: Colour) =>
    pixel !== null && PAINTED[colour].every((value, at) => Math.abs(value - (pixel[at] ?? 0)) < 8);
  return (["green", "blue", "red"] as const).find(isNear);
}

async function becomes(page: Page, colour: Colour): Promise<void> {
  const isIt = async () => (await colourOf(page)) === colour;
  expect(await waitFor(isIt, { timeoutMs: 60_000, everyMs: 50 }), `it becomes ${colour}`).toBe(true);
}

async function becomesAny(page: Page): Promise<void> {
  const isPainted = async () => (await colourOf(page)) !== undefined;
  expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
}

async function isSomebodyThere(): Promise<boolean> {
  return (await lab.owner.execute(sql`select from sessions where ended_at is null`)).length > 0;
}

async function press(page: Page, key: string, colour: Colour): Promise<void> {
  await page.keyboard.press(key);
  await becomes(page, colour);
}

async function openWat(login = "admin"): Promise<Page> {
  const page = await context.newPage();
  await visitPage(page, `${lab.wat}/sign-in`);
  await page.fill("[name=login]", login);
  await page.fill("[name=password]", PASSWORD);
  await page.click("button[type=submit]");
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  await visitPage(page, `${lab.wat}/desktops/${lab.vmId}`);
  return page;
}

/** Presses the button on the machine's page; again where the machine's network changed under the page that opened. */
async function openConsole(): Promise<Page> {
  const wat = await openWat();
  for (let tries = 1; ; tries += 1) {
    const opening = context.waitForEvent("page", { timeout: 60_000 });
    // The page that opens is awaited below, and may be one whose network changed.
    await wat.click("button:has-text('Console')", { noWaitAfter: true });
    const page = await opening;
    let isBroken = false;
    page.on("requestfailed", (request) => {
      isBroken ||= request.failure()?.errorText.includes("ERR_NETWORK_CHANGED") ?? false;
    });
    page.on("console", (message) => {
      isBroken ||= message.text().includes("ERR_NETWORK_CHANGED");
    });
    const isShown = async () => Boolean(await orNextPage(page.$("main[data-shown]")));
    const isDecided = async () => {
      isBroken ||= page.url().startsWith("chrome-error:");
      return isBroken || (await isShown());
    };
    await waitFor(isDecided, { timeoutMs: 60_000, everyMs: 50 });
    if (await isShown()) return page;
    expect([tries < 4, isBroken], `${page.url()}: ${await page.textContent("body")}`).toEqual([true, true]);
    await page.close();
  }
}

async function countAudit(action: string): Promise<number> {
  const [row] = await lab.owner.execute<{ count: number }>(
    sql`select count(*)::int as count from audit_log where action = ${action}`,
  );
  return row?.count ?? 0;
}

async function signIn(page: Page, url = lab.near): Promise<void> {
  await visitPage(page, `${url}/`);
  await page.fill("#login", "alice");
  await page.fill("#password", "secret");
  await page.click("button[type=submit]");
  // The page of the sign-in has a main part, too.
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

describe("an administrator", () => {
  test(
    "opens the console from the machine's page, sees its screen and types on it",
    async () => {
      const before = [await countAudit("vm.open-console"), await countAudit("visit.begin")];
      const page = await openConsole();
      expect(new URL(page.url()).hash).toBe("");
      await press(page, "a", "blue");
      await press(page, "d", "red");
      await press(page, "b", "green");
      // A dead key comes by its place, as all do: what it makes is for the machine's own system to say.
      const keyboard = await context.newCDPSession(page);
      for (const type of ["keyDown", "keyUp"] as const)
        await keyboard.send("Input.dispatchKeyEvent", { type, key: "Dead", code: "KeyA" });
      await becomes(page, "blue");
      expect([await countAudit("vm.open-console"), await countAudit("visit.begin")]).toEqual(
        before.map((count) => count + 1),
      );
      await page.close();
      const ended = async () => (await countAudit("session.end-visit")) > 0;
      expect(await waitFor(ended, { timeoutMs: 60_000 })).toBe(true);
    },
    SLOW,
  );

  test(
    "does so through another box, whose broker relays",
    async () => {
      lab.sendTo("far");
      const page = await openConsole();
      expect(page.url()).toStartWith(lab.far);
      await press(page, "a", "blue");
      await press(page, "b", "green");
    },
    SLOW,
  );

  test(
    "is told when the machine goes from under it, and that the link was used",
    async () => {
      const page = await openConsole();
      lab.restartDoor();
      await page.waitForSelector("#veil-title:has-text('Over')");
      await page.reload();
      await page.waitForSelector("text=This page needs a link");
    },
    SLOW,
  );
});

describe("an administrator who sees a console", () => {
  test(
    "is put out by signing out of the web admin tool",
    async () => {
      const page = await openConsole();
      await becomesAny(page);
      const [wat] = context.pages();
      await wat?.click("form[action='/sign-out'] button");
      await page.waitForSelector("text=You signed out of the web admin tool");
    },
    SLOW,
  );

  for (const box of ["near", "far"] as const)
    test(
      `gives way to the machine's person, who sees it undisturbed, by the ${box} box`,
      async () => {
        await lab.owner.execute(sql`update osfs set offers_console = true`);
        lab.sendTo(box);
        const page = await openConsole();
        await becomesAny(page);
        const own = await context.newPage();
        await signIn(own, lab.near);
        await own.click(`a[href='/desktop/${lab.vmId}']`);
        await own.waitForSelector("main[data-shown]", { timeout: 60_000 });
        await page.waitForSelector("text=The person of this machine has come to its console");
        await press(own, "a", "blue");
        await press(own, "b", "green");
        await own.close();
        const isLeft = async () => (await countAudit("session.end-visit")) > 0 && !(await isSomebodyThere());
        expect(await waitFor(isLeft, { timeoutMs: 60_000 })).toBe(true);
      },
      SLOW,
    );
});

test(
  "the machine's page and the console's have no fault that axe knows",
  async () => {
    await openConsole();
    for (const one of context.pages()) {
      await one.evaluate(await Bun.file("node_modules/axe-core/axe.min.js").text());
      const findings = `axe.run().then(({violations}) => violations.map((one) => one.id + " " + one.nodes[0].target))`;
      expect(await one.evaluate<string[]>(findings)).toEqual([]);
    }
  },
  SLOW,
);

describe("nobody else", () => {
  test(
    "opens a console: another tenant's administrator finds no such desktop",
    async () => {
      const page = await openWat("acme-admin");
      expect(await page.textContent("body")).toContain("There is no such desktop");
    },
    SLOW,
  );

  test("opens one with a ticket that is none", async () => {
    const page = await context.newPage();
    await visitPage(page, `${lab.near}/visit#made-up`);
    await page.waitForSelector("#veil-title:has-text('Over')");
  });

  test(
    "works at it as its person while the OSF doesn't offer it",
    async () => {
      await lab.owner.execute(sql`update osfs set offers_console = false`);
      const page = await context.newPage();
      await signIn(page);
      await visitPage(page, `${lab.near}/desktop/${lab.vmId}?screen=console`);
      expect(await page.getAttribute("main", "data-screen")).toBe("session");
      await page.evaluate(`document.querySelector("main").dataset.screen = "console"`);
      // What a page that lies would ask for.
      const answer = await page.evaluate<string>(`(async () => {
        const { desktop, csrf } = document.querySelector("main").dataset;
        const headers = { "X-CSRF-Token": csrf, Accept: "application/json" };
        const { ticket } = await (await fetch("/desktop/" + desktop + "/ticket", { method: "POST", headers })).json();
        const query = new URLSearchParams({ ticket, width: 800, height: 600, screen: "console" });
        const socket = new WebSocket("wss://" + location.host + "/desktop/" + desktop + "/ws?" + query);
        return await new Promise((resolve) => { socket.onmessage = ({ data }) => resolve(String(data)); });
      })()`);
      expect(JSON.parse(answer)).toMatchObject({
        type: "refused",
        text: "The console of this desktop is not offered to you",
      });
    },
    SLOW,
  );
});

describe("its person", () => {
  for (const box of ["near", "far"] as const)
    test(
      `works at it in the portal where the OSF offers it, on the ${box} box`,
      async () => {
        await lab.owner.execute(sql`update osfs set offers_console = true`);
        const page = await context.newPage();
        await signIn(page, lab[box]);
        await page.click(`a[href='/desktop/${lab.vmId}']`);
        await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
        expect(await page.isVisible("#files-open")).toBe(false);
        await press(page, "a", "blue");
        await press(page, "d", "red");
        await press(page, "b", "green");
        const [asked] = await lab.owner.execute(
          sql`select detail->>'access' as access from audit_log where action = 'session.request' order by id desc limit 1`,
        );
        expect(asked).toEqual({ access: "console" });
        const read = async () => {
          const [row] = await lab.owner.execute<{ access: string; connected: boolean }>(
            sql`select access, connected_at is not null as connected from sessions order by id desc limit 1`,
          );
          return row;
        };
        // The broker notes it while the screen is shown already.
        await waitFor(async () => (await read())?.connected, { timeoutMs: 60_000 });
        expect(await read()).toEqual({ access: "console", connected: true });
      },
      SLOW,
    );

  // The last one: the machine is gone afterwards.
  test(
    "is told that it was shut down from inside, and starts it no more",
    async () => {
      await lab.owner.execute(sql`update osfs set offers_console = true`);
      const page = await context.newPage();
      await signIn(page);
      await page.click(`a[href='/desktop/${lab.vmId}']`);
      await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
      expect(await waitFor(isSomebodyThere, { timeoutMs: 60_000 })).toBe(true);
      const asked = async () => (await lab.owner.execute(sql`select id from sessions`)).length;
      const before = await asked();
      await lab.killMachine();
      expect(await waitFor(async () => !(await isSomebodyThere()), { timeoutMs: 60_000 })).toBe(true);
      // What its node says a moment later, where its OSF leaves it so.
      await lab.owner.execute(sql`update vms set wish = 'stopped' where id = ${lab.vmId}`);
      await lab.owner.execute(sql`update vm_reports set state = 'stopped' where vm_id = ${lab.vmId}`);
      await page.waitForSelector("#veil-title:has-text('Shut down')", { timeout: 60_000 });
      expect(await page.textContent("#again")).toBe("Open again");
      expect(await asked()).toBe(before);
    },
    SLOW,
  );
});
