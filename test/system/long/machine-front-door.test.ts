/**
 * A real Debian as a virtual machine, through the front door: a person signs in with `qvd connect`, brings sound, printers and a
 * folder, locks and unlocks the screen, goes on in a browser and is watched there, all as in a container. Under software
 * emulation; a quarter of an hour.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { parseColour } from "../../../bench/screen.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { PITCH } from "../../support/page-pitch.ts";
import { type ConnectingClient, hearPitch } from "../peripherals-lab.ts";
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
const LOCKED = parseColour("#20a020");
/** X11's orchid. */
const TERMINAL = parseColour("#da70d6");
/** A window of that colour, so that what was typed is seen. */
const SHOW_TERMINAL = "xterm -bg orchid -geometry 60x20";
/** What a machine that is emulated needs to do what was typed, and more. */
const IDLE_MS = 15_000;
const KEYBOARD = ["--keyboard", "pc105/es"];

/** Six seconds of it, however long it takes: on a busy machine the first of it comes late. */
const HEARD_BYTES = 6 * 8_000 * 2;

/** Runs in the desktop as its person, from the shared folder; each step leaves a file. */
const JOB = `cd "$(dirname "$0")"
mkdir begun || exit
cat /run/qvd-guest/nxagent.options > options
cat /run/qvd/incarnation > incarnation
{ id -un; hostname; xdpyinfo | grep dimensions; setxkbmap -query | grep layout; } > session 2>&1
for _ in $(seq 90); do
  [ "$(pactl get-default-sink) $(pactl get-default-source)" = "qvd_client qvd_microphone" ] && lpstat -e | grep -q desk && break
  sleep 1
done
{ pactl get-default-sink; pactl get-default-source; lpstat -d -e; } > channels 2>&1
echo words from a machine | lp > printed 2>&1
timeout 120 parec --format=s16le --rate=8000 --channels=1 2> /dev/null | head -c ${HEARD_BYTES} > heard
cp tone "$HOME/tone"
(while cat "$HOME/tone"; do :; done | pacat --format=s16le --rate=8000 --channels=1) > /dev/null 2>&1 &
touch done
`;
/** What the PC's microphone hears. */
const MICROPHONE_HERTZ = 880;
const TONE_HERTZ = 400;
/** A second at 8 kHz. */
const TONE = Int16Array.from(
  { length: 8_000 },
  (_, at) => 12_000 * Math.sin((2 * Math.PI * TONE_HERTZ * at) / 8_000),
);

describe.skipIf(!isLong)("a machine through the front door (long form: set QVD_TEST_LONG=1)", () => {
  let door: MachineDoor;
  let connecting: ConnectingClient;
  let page: Page;

  beforeAll(async () => {
    door = await MachineDoor.open({ job: JOB, tone: new Uint8Array(TONE.buffer) });
  }, BUILD_MS);

  afterAll(async () => {
    await door?.stop();
  }, 120_000);

  test(
    "a person signs in, and sees the machine that has booted",
    async () => {
      expect(await door.boot()).toBe(true);
      const shown = ["--geometry", "900x600", ...KEYBOARD, "--link", "lan"];
      connecting = door.connect(...shown, "--microphone", "--print", "--share", door.folder);
      expect(await door.says(connecting, "connected to anna-desk"), connecting.said()).toBe(true);
      expect(await door.sees(BACKGROUND)).toBe(true);
    },
    BOOT_MS + 2 * SLOW_MS,
  );

  test(
    "their folder is there, and their desktop has what they said",
    async () => {
      const isShared = await door.says(connecting, "is ~/Redirected/papers in the desktop");
      expect(isShared, connecting.said()).toBe(true);
      expect(await door.runThere("sh Redirected/papers/job", async () => door.has("begun"))).toBe(true);
      const isDone = () => door.has("done");
      expect(await waitFor(isDone, { timeoutMs: SLOW_MS, everyMs: 250 })).toBe(true);
      expect(await door.readFile("options")).toMatch(/keyboard=pc105\/es/);
      expect(await door.readFile("options")).toMatch(/link=lan/);
      expect(await door.readFile("session")).toMatch(/^anna\nanna-desk\n.* 900x600 [\s\S]*layout:\s+es$/);
      expect(await door.readFile("incarnation")).toMatch(/^\d+ 1$/);
    },
    SLOW_MS * 3,
  );

  test(
    "it prints at their printers, and plays on their loudspeaker",
    async () => {
      expect(await door.readFile("channels")).toMatch(/qvd_client\nqvd_microphone\n[\s\S]*QVD-desk/);
      const words = "words from a machine";
      expect(await door.client.awaitPrinted(words, SLOW_MS), await door.readFile("printed")).toBe(true);
      const isLoud = async () => {
        const heard = hearPitch(await door.client.record(1_500));
        return heard.loudness > 500 && Math.abs(heard.hertz - TONE_HERTZ) <= 10;
      };
      expect(await waitFor(isLoud, { timeoutMs: SLOW_MS, everyMs: 50 })).toBe(true);
    },
    SLOW_MS * 2,
  );

  test("it hears their microphone", async () => {
    const bytes = Buffer.from(await Bun.file(`${door.folder}/heard`).arrayBuffer());
    const heard = hearLoudest(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1));
    expect(Math.abs(heard.hertz - MICROPHONE_HERTZ), JSON.stringify(heard)).toBeLessThanOrEqual(10);
    expect(heard.loudness).toBeGreaterThan(500);
  });

  test(
    "a locked screen is unlocked by what they signed in with, and by nothing else",
    async () => {
      expect(await door.runThere("i3lock -c 20a020", () => door.shows(LOCKED))).toBe(true);
      await door.type("wrong");
      await Bun.sleep(5_000);
      expect(await door.shows(LOCKED)).toBe(true);
      expect(await door.unlock(LOCKED)).toBe(true);
    },
    SLOW_MS * 2,
  );

  test(
    "they leave, the session waits, and goes on when they come back",
    async () => {
      expect(await door.runThere(SHOW_TERMINAL, () => door.shows(TERMINAL))).toBe(true);
      connecting.child.kill("SIGTERM");
      await connecting.child.exited;
      expect(connecting.said()).toContain("the session waits");
      expect(await door.sees(TERMINAL, false)).toBe(true);
      connecting = door.connect(...KEYBOARD);
      expect(await door.sees(TERMINAL)).toBe(true);
    },
    SLOW_MS * 2,
  );

  test(
    "the same session goes on in a browser, which plays what it plays",
    async () => {
      page = await door.browse();
      await page.waitForSelector("main[data-shown]", { timeout: SLOW_MS });
      expect(await pageShows(page, TERMINAL)).toBe(true);
      await page.hover("#bar");
      await page.click("#sound");
      const hears = async () => Math.abs(Number(await page.evaluate(PITCH)) - TONE_HERTZ) <= 10;
      expect(await waitFor(hears, { timeoutMs: SLOW_MS, everyMs: 50 })).toBe(true);
    },
    SLOW_MS * 2,
  );

  test(
    "somebody who was let in sees it, and can do nothing there",
    async () => {
      const link = await door.box.qvdOk("vm", "watch", "anna-desk");
      const helper = await door.browse(new URL(link).pathname + new URL(link).hash, false);
      await page.waitForSelector("#question[open]", { timeout: SLOW_MS });
      await page.click("#question-yes");
      expect(await pageShows(helper, TERMINAL)).toBe(true);
      await clickColour(helper, TERMINAL);
      await helper.keyboard.type("exit", { delay: 60 });
      await helper.keyboard.press("Enter");
      // Where the helper's keys arrived the window would go within this time, as the owner's does below.
      expect(await pageShows(page, TERMINAL, false, IDLE_MS)).toBe(false);
      // Its window ends by what is typed into it.
      await clickColour(page, TERMINAL);
      await page.keyboard.type("exit", { delay: 60 });
      await page.keyboard.press("Enter");
      expect(await pageShows(helper, TERMINAL, false)).toBe(true);
    },
    SLOW_MS * 3,
  );
});

/** The pitch of the second that has most of it: a machine that is emulated hears gaps, and nothing at first. */
function hearLoudest(samples: Int16Array): ReturnType<typeof hearPitch> {
  const second = (at: number) => hearPitch(samples.subarray(at, at + 8_000));
  const seconds = Array.from({ length: Math.ceil(samples.length / 8_000) }, (_, at) => second(at * 8_000));
  return seconds.reduce((best, one) => (one.loudness > best.loudness ? one : best), {
    hertz: 0,
    loudness: 0,
  });
}
