/** The same as in Chromium, where it could differ: the picture, keys and the pointer, in Debian's Firefox. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { waitFor } from "../../src/lib/wait.ts";
import { type Firefox, startFirefox } from "../support/firefox.ts";
import { type BrowserLab, openBrowserLab, WINDOW_PIXELS } from "./browser-lab.ts";

const PLACE = { instance: "ffxlab", network: "172.29.10", screen: ":97" };
const ENTER = "\uE007";

let lab: BrowserLab;
let firefox: Firefox;

beforeAll(async () => {
  lab = await openBrowserLab(PLACE);
  firefox = await startFirefox();
}, 660_000);

afterAll(async () => {
  await firefox?.stop();
  await lab?.stop();
}, 180_000);

async function becomes(expression: string, timeoutMs = 30_000): Promise<void> {
  const holds = async () => (await firefox.evaluate(expression)) === true;
  expect(await waitFor(holds, { timeoutMs, everyMs: 100 }), expression).toBe(true);
}

describe("a person in Firefox", () => {
  test("signs in, opens a desktop, and types in it", async () => {
    await firefox.visit(`${lab.url}/`);
    await firefox.evaluate(
      `(login.value = "alice", password.value = "secret", document.querySelector("button[type=submit]").click(), 0)`,
    );
    await becomes(`document.querySelector(".desktop-list") !== null`);
    await firefox.visit(`${lab.url}/desktop/1`);
    await becomes(`document.querySelector("main").dataset.shown !== undefined`);
    await becomes(`${WINDOW_PIXELS} > 50000`);
    await firefox.click(280, 280);
    await firefox.press(..."in Firefox ", ..."ñçãüß€@", ENTER);
    const isTyped = async () =>
      (await lab.desktop.inside("tail -n 1 /home/alice/typed")) === "in Firefox ñçãüß€@";
    expect(
      await waitFor(isTyped, { timeoutMs: 20_000, everyMs: 50 }),
      await lab.desktop.inside("tail -n 1 /home/alice/typed"),
    ).toBe(true);
  }, 120_000);
});
