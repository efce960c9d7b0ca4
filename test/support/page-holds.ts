/** Waiting for what a page says of itself. Playwright's own way evaluates in the page, which a strict policy forbids. */

import type { Page } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";

const TIMEOUT_MS = 60_000;
/** Asked while another page is on its way. */
const BETWEEN_PAGES = /context was destroyed|Cannot find context/;

/** Once more where another page came in the middle of it, such as one that is loaded again because the network changed. */
export async function onOnePage<T>(look: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await look();
    } catch (error) {
      if (tries === 4 || !BETWEEN_PAGES.test(String(error))) throw error;
    }
}

/** False when the expression didn't become true in time. */
export async function pageHolds(page: Page, expression: string): Promise<boolean> {
  const ask = () =>
    page.evaluate<unknown>(expression).catch((error: unknown) => {
      if (!BETWEEN_PAGES.test(String(error))) throw error;
      return false;
    });
  const holds = async () => (await ask()) === true;
  return (await waitFor(holds, { timeoutMs: TIMEOUT_MS, everyMs: 50 })) === true;
}

/** What a page was asked for; undefined when another one took its place meanwhile. */
export async function orNextPage<T>(asked: Promise<T>): Promise<T | undefined> {
  return await asked.catch((error: unknown) => {
    if (!BETWEEN_PAGES.test(String(error))) throw error;
    return undefined;
  });
}
