/** Going to a page with Chromium on a machine whose network changes all the time. */

import type { Page } from "playwright-core";

/** For whatever is waited for on the page; half of it is little where two processors do much else. */
const PATIENCE_MS = 60_000;
/** Chromium breaks its requests off when an interface of the machine comes or goes, as desktops of other tests do. */
const NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED";
/** Of a try that another one is still in the way of. */
const PASSING = [NETWORK_CHANGED, "chrome-error://", "is interrupted by another navigation"];

/** Goes there, and again when the network changed under the page while it loaded; `onAgain` is called before that. */
export async function visitPage(page: Page, address: string, onAgain = () => {}): Promise<void> {
  for (let tries = 1; tries <= 6; tries += 1) {
    if (tries > 1) onAgain();
    let isBroken = false;
    const onFailed = (request: { failure(): { errorText: string } | null }) => {
      isBroken ||= request.failure()?.errorText === NETWORK_CHANGED;
    };
    page.on("requestfailed", onFailed);
    page.setDefaultTimeout(PATIENCE_MS);
    try {
      // With nothing but another part behind the # a page isn't loaded again.
      if (tries > 1 && address.includes("#")) await page.goto("about:blank");
      await page.goto(address);
    } catch (error) {
      // The page that says so may still be on its way when the next try begins, and interrupts that one.
      const isPassing = PASSING.some((text) => String(error).includes(text));
      if (!isPassing) throw error;
      isBroken = true;
    }
    page.off("requestfailed", onFailed);
    if (!isBroken) return;
  }
}
