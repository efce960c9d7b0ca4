/**
 * A real Debian as a virtual machine, opened by a person in a browser who has never been there: it boots while they wait, its
 * session is on Xvnc and comes straight from that, and goes on in another page, in `qvd connect` and back. Under software
 * emulation; six minutes and those of building the image.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { parseColour } from "../../../bench/screen.ts";
import { SCREEN_PORT } from "../../../src/domain/session/screen-port.ts";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { PITCH } from "../../support/page-pitch.ts";
import type { ConnectingClient } from "../peripherals-lab.ts";
import {
  BACKGROUND,
  BOOT_MS,
  BUILD_MS,
  clickColour,
  MachineDoor,
  pageShows,
  SLOW_MS,
} from "./machine-door.ts";

const isLong = process.env.QVD_TEST_LONG === "1";
/** Of the desktop's usual terminal. */
const BLACK = parseColour("#000000");
/** X11's orchid and gold, of terminals that were begun in the browser and by NX. */
const [ORCHID, GOLD] = [parseColour("#da70d6"), parseColour("#ffd700")];
const TONE_HERTZ = 400;

/** Runs in the desktop as its person, from their Downloads; each step leaves a file. */
const JOB = `cd "$(dirname "$0")"
ps -u "$(id -u)" -o comm= > programs
xdpyinfo | grep dimensions > size
setsid xterm -bg orchid -geometry 60x20 > /dev/null 2>&1 &
until pactl load-module module-sine frequency=${TONE_HERTZ}; do sleep 2; done > /dev/null 2>&1
`;

describe.skipIf(!isLong)("a machine that a browser opens (long form: set QVD_TEST_LONG=1)", () => {
  let door: MachineDoor;
  let page: Page;
  let connecting: ConnectingClient;

  beforeAll(async () => {
    door = await MachineDoor.open({});
  }, BUILD_MS);

  afterAll(async () => {
    await door?.stop();
  }, 120_000);

  const isShown = () => page.waitForSelector("main[data-shown]", { timeout: BOOT_MS });
  const becomes = async (isSo: () => Promise<boolean>) =>
    (await waitFor(isSo, { timeoutMs: SLOW_MS, everyMs: 250 })) === true;

  /** What lies in the person's Downloads, or nothing. */
  const readThere = async (name: string) => {
    const url = `https://localhost:${door.box.brokerPort}/desktop/${door.anna.vmId}/files/${name}`;
    const answer = await page.context().request.get(url);
    return answer.ok() ? (await answer.text()).trim() : "";
  };
  const type = async (line: string) => {
    await page.keyboard.type(line, { delay: 60 });
    await page.keyboard.press("Enter");
  };
  /** Connections of the box's brokers to the machine's X server, past its agent. */
  const countDirect = async () => {
    const command = ["ss", "-Htn", "state", "established", "dport", "=", `:${SCREEN_PORT}`];
    const rows = (await runOk("looking at connections", command)).split("\n");
    const network = door.box.options.cidr.replace(/0\.0\/16$/, "");
    return rows.filter((row) => row.includes(` ${network}`)).length;
  };

  test(
    "a person opens one that is off, and sees it when it has booted",
    async () => {
      page = await door.browse("/");
      expect(await page.textContent(".desktop-list")).toContain("Stopped");
      await page.click(`a[href="/desktop/${door.anna.vmId}"]`);
      await isShown();
      expect(await pageShows(page, BACKGROUND)).toBe(true);
      expect(await countDirect()).toBe(1);
    },
    BOOT_MS + 2 * SLOW_MS,
  );

  test(
    "a file of theirs goes there and does what they type, on an X server of their browser's own",
    async () => {
      await page.hover("#bar");
      await page.click("#files-open");
      const job = { name: "job", mimeType: "text/plain", buffer: Buffer.from(JOB) };
      await page.setInputFiles("#files-input", job);
      await page.waitForSelector("text=is there.", { timeout: SLOW_MS });
      await page.click("#files button[type=submit]");
      const opens = async () => {
        await page.keyboard.press("Meta+t");
        return pageShows(page, BLACK, true, 20_000);
      };
      expect(await becomes(opens)).toBe(true);
      const begins = async () => {
        await page.waitForTimeout(4_000);
        await type("sh Downloads/job");
        return pageShows(page, ORCHID, true, 60_000);
      };
      expect(await becomes(begins)).toBe(true);
      expect(await readThere("size")).toContain(" 1000x700 ");
      const programs = (await readThere("programs")).split("\n");
      expect(programs).toContain("Xtigervnc");
      expect(programs).not.toContain("nxagent");
    },
    SLOW_MS * 3,
  );

  test(
    "they close the page, and it goes on when they come again",
    async () => {
      await page.context().close();
      const { sql } = door.box.database;
      const hasEnded = async () => (await sql`select from sessions where ended_at is not null`).length === 1;
      expect(await becomes(hasEnded)).toBe(true);
      page = await door.browse();
      await isShown();
      expect(await pageShows(page, ORCHID)).toBe(true);
      await clickColour(page, ORCHID);
      await type("echo typed again ñ > again");
      expect(await becomes(async () => (await readThere("again")) === "typed again ñ")).toBe(true);
    },
    SLOW_MS * 3,
  );

  test(
    "they hear it, and share its clipboard",
    async () => {
      await page.hover("#bar");
      await page.click("#sound");
      const hears = async () => Math.abs(Number(await page.evaluate(PITCH)) - TONE_HERTZ) <= 10;
      expect(await becomes(hears)).toBe(true);
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.evaluate(`navigator.clipboard.writeText("mine")`);
      await page.hover("#bar");
      await page.click("#clipboard");
      await clickColour(page, ORCHID);
      await type("until xclip -selection clipboard -o > held && grep mine held; do sleep 1; done");
      expect(await becomes(async () => (await readThere("held")) === "mine")).toBe(true);
      await type("echo theirs | xclip -selection clipboard");
      const has = async () => (await page.evaluate<string>("navigator.clipboard.readText()")) === "theirs\n";
      expect(await becomes(has)).toBe(true);
    },
    SLOW_MS * 3,
  );

  test(
    "it goes on in an NX client with its windows, and the page is told",
    async () => {
      connecting = door.connect("--geometry", "1000x700", "--keyboard", "pc105/es");
      expect(await door.sees(ORCHID), connecting.said()).toBe(true);
      await page.waitForSelector("text=Shown elsewhere", { timeout: SLOW_MS });
      expect(await countDirect()).toBe(0);
      const command = "xterm -bg gold -geometry 60x20";
      expect(await door.runThere(command, () => door.shows(GOLD))).toBe(true);
    },
    SLOW_MS * 3,
  );

  test(
    "and back in the page, straight from its X server as before",
    async () => {
      await page.click("#again");
      await isShown();
      expect(await pageShows(page, GOLD)).toBe(true);
      expect(await countDirect()).toBe(1);
      await connecting.child.exited;
      expect(connecting.said()).toContain("a newer client took over");
      const brokers = [1, 2].map((worker) => door.box.log(`broker-${worker}`));
      expect(brokers.join()).not.toContain("screen-not-direct");
    },
    SLOW_MS * 2,
  );
});
