/** An administrator's visit to the web admin tool with a real browser: signs in, stops a desktop, sees it stopped. */

import { type Browser, chromium, type Page } from "playwright-core";
import type { SignedIn } from "../demo/qvd.ts";

export type WatVisit = {
  readonly url: string;
  readonly administrator: SignedIn;
  readonly vmId: number;
  /** Where to keep a picture of the desktop's page. */
  readonly picture: string;
};

const STOP_MS = 60_000;

/** Chromium drops what it loads when an interface of the machine comes or goes, as those of desktops do. */
const NETWORK_CHANGED = /ERR_NETWORK_CHANGED|chrome-error:/;
const TRIES = 4;

/** Returns the milliseconds from the click to the page's word that the desktop is stopped. */
export async function stopInWat(visit: WatVisit): Promise<number> {
  const browser: Browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    // The certificate is verified by the client's part of the check; a browser keeps an authority only in a profile.
    const page = await browser.newPage({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 860 } });
    page.setDefaultTimeout(60_000);
    await openDesktop(page, visit);
    await page.screenshot({ path: visit.picture });
    const start = performance.now();
    await page.locator("main").getByRole("button", { name: "Stop", exact: true }).first().click();
    await page
      .locator("main")
      .getByRole("button", { name: "Start", exact: true })
      .first()
      .waitFor({ timeout: STOP_MS });
    await page.locator("main").getByText("Stopped", { exact: true }).first().waitFor({ timeout: STOP_MS });
    return performance.now() - start;
  } finally {
    await browser.close();
  }
}

async function openDesktop(page: Page, visit: WatVisit): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await signIn(page, visit);
      await page.goto(`${visit.url}/desktops/${visit.vmId}`);
      return;
    } catch (error) {
      if (tries === TRIES || !NETWORK_CHANGED.test(String(error))) throw error;
    }
  }
}

async function signIn(page: Page, { url, administrator }: WatVisit): Promise<void> {
  await page.goto(`${url}/sign-in`);
  if (!page.url().endsWith("/sign-in")) return;
  await page.fill("input[name=login]", administrator.login);
  await page.fill("input[name=password]", administrator.password);
  await page.click("button[type=submit]");
  await page.waitForURL((now) => !now.pathname.startsWith("/sign-in"));
}
