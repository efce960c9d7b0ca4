/** An administrator's visit to the web admin tool with a real browser: signs in, stops a desktop, sees it stopped. */

import { type Browser, chromium } from "playwright-core";
import type { SignedIn } from "../demo/qvd.ts";

export type WatVisit = {
  readonly url: string;
  readonly administrator: SignedIn;
  readonly vmId: number;
  /** Where to keep a picture of the desktop's page. */
  readonly picture: string;
};

const STOP_MS = 60_000;

/** Returns the milliseconds from the click to the page's word that the desktop is stopped. */
export async function stopInWat(visit: WatVisit): Promise<number> {
  const browser: Browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    // The certificate is verified by the client's part of the check; a browser keeps an authority only in a profile.
    const page = await browser.newPage({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 860 } });
    page.setDefaultTimeout(20_000);
    await page.goto(`${visit.url}/sign-in`);
    await page.fill("input[name=login]", visit.administrator.login);
    await page.fill("input[name=password]", visit.administrator.password);
    await page.click("button[type=submit]");
    await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
    await page.goto(`${visit.url}/desktops/${visit.vmId}`);
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
