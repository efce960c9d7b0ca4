/** Sound of a real desktop in real browsers, and their microphones in the desktop. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { waitFor } from "../../src/lib/wait.ts";
import { firefoxHolds, middleOfTool, startFirefox } from "../support/firefox.ts";
import { startLoudspeaker } from "../support/loudspeaker.ts";
import { LISTEN, PITCH } from "../support/page-pitch.ts";
import { buildSoundRoot } from "../support/sound-root.ts";
import { visitPage } from "../support/visit-page.ts";
import { type BrowserLab, openBrowserLab } from "./browser-lab.ts";
import { hearPitch } from "./peripherals-lab.ts";

const PLACE = { instance: "sndlab", network: "172.29.23", screen: ":75" };
const SLOW = 240_000;
const AS_USER =
  "setpriv --reuid=2001 --regid=2001 --clear-groups env HOME=/home/alice XDG_RUNTIME_DIR=/run/user/2001";

let lab: BrowserLab;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp("/tmp/qvd-sound-");
  await writeFile(`${folder}/voice.wav`, wave(880));
  lab = await openBrowserLab(PLACE, await buildSoundRoot(), { hasSession: true });
  const media = [
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${folder}/voice.wav`,
  ];
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", ...media] });
}, 660_000);

afterAll(async () => {
  await browser?.close();
  await lab?.stop();
  await rm(folder, { recursive: true, force: true });
}, SLOW);

/** A voice that comes and goes, as browsers take a lasting tone for noise. */
function wave(hertz: number): Uint8Array {
  const [rate, seconds] = [48_000, 4];
  const bytes = Buffer.alloc(44 + rate * seconds * 2);
  bytes.write("RIFF");
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(bytes.length - 44, 40);
  for (let at = 0; at < rate * seconds; at++) {
    const envelope = Math.sin((2 * Math.PI * 4 * at) / rate) ** 2;
    const value = 16_000 * envelope * Math.sin((2 * Math.PI * hertz * at) / rate);
    bytes.writeInt16LE(Math.round(value), 44 + at * 2);
  }
  return bytes;
}

const asUser = (text: string) => lab.desktop.inside(`${AS_USER} sh -c '${text}' 2>&1`);

/** Plays a tone in the desktop, where its programs play, for as long as `work` takes. */
async function whilePlaying(hertz: number, work: () => Promise<void>): Promise<void> {
  const module = await asUser(`pactl load-module module-sine frequency=${hertz}`);
  await work();
  await asUser(`pactl unload-module ${module}`);
}

async function sitDown(permissions: readonly string[] = []): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: [...permissions] });
  const page = await context.newPage();
  await page.addInitScript(LISTEN);
  await visitPage(page, `${lab.url}/`);
  await page.fill("#login", "alice");
  await page.fill("#password", "secret");
  await page.click("button[type=submit]");
  await page.waitForSelector(".desktop-list");
  await visitPage(page, `${lab.url}/desktop/1`);
  await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
  return page;
}

async function press(page: Page, id: string): Promise<void> {
  await page.hover("#bar");
  await page.click(`#${id}`);
}

/** What programs of the desktop play to or record from when they choose none. */
async function becomesUsual(kind: "sink" | "source", name: string): Promise<void> {
  const isUsual = async () => (await asUser(`timeout 5 pactl get-default-${kind}`)) === name;
  expect(await waitFor(isUsual, { timeoutMs: 60_000, everyMs: 100 }), name).toBe(true);
}

/** A band of the analyser is 6 Hz wide. */
const isAbout = (hertz: number) => (found: unknown) => Math.abs(Number(found) - hertz) < 10;

async function hears(read: () => Promise<unknown>, isRight: (found: unknown) => boolean): Promise<boolean> {
  const found = async () => isRight(await read());
  return (await waitFor(found, { timeoutMs: 60_000, everyMs: 100 })) === true;
}

const pitchOf = (page: Page) => () => page.evaluate(PITCH);

type Heard = ReturnType<typeof hearPitch>;

async function isHeardInside(isRight: (heard: Heard) => boolean): Promise<void> {
  let heard: Heard | undefined;
  const isThere = async () => {
    heard = await recordInside();
    return isRight(heard);
  };
  expect(await waitFor(isThere, { timeoutMs: 60_000 }), JSON.stringify(heard)).toBe(true);
}

async function recordInside(): Promise<Heard> {
  const words = "--format=s16le --rate=8000 --channels=1";
  await asUser(`timeout 2 parec -d qvd_browser_microphone ${words} > /home/alice/heard`);
  const bytes = Buffer.from(await lab.desktop.inside("base64 -w0 /home/alice/heard"), "base64");
  return hearPitch(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1));
}

describe("a person in Chromium", () => {
  test(
    "hears the desktop once they want to, and no more when they don't",
    async () => {
      const page = await sitDown();
      expect(await page.getAttribute("#sound", "aria-pressed")).toBe("false");
      await press(page, "sound");
      await becomesUsual("sink", "qvd_browser");
      await whilePlaying(660, async () => {
        expect(await hears(pitchOf(page), isAbout(660)), String(await page.evaluate(PITCH))).toBe(true);
      });
      expect(await hears(pitchOf(page), (found) => found === 0)).toBe(true);
      await whilePlaying(440, async () => {
        expect(await hears(pitchOf(page), isAbout(440))).toBe(true);
        await press(page, "sound");
        await page.waitForSelector("#sound[aria-pressed=false]");
        const isGone = async () => !(await asUser("pactl list short sinks")).includes("qvd_browser");
        expect(await waitFor(isGone, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      });
      const isQuiet = async () =>
        (await lab.desktop.inside("pgrep -x 'parec|opusenc' || echo none")) === "none";
      expect(await waitFor(isQuiet, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      await page.context().close();
    },
    SLOW,
  );

  test(
    "who heard once hears at the next visit",
    async () => {
      const page = await sitDown();
      await press(page, "sound");
      await page.reload();
      await page.waitForSelector("main[data-shown]", { timeout: 60_000 });
      await page.mouse.click(300, 300);
      await becomesUsual("sink", "qvd_browser");
      await whilePlaying(550, async () => {
        expect(await hears(pitchOf(page), isAbout(550))).toBe(true);
      });
      await page.context().close();
    },
    SLOW,
  );

  test(
    "is heard in the desktop while they give their microphone",
    async () => {
      const page = await sitDown(["microphone"]);
      await press(page, "microphone");
      await becomesUsual("source", "qvd_browser_microphone");
      const isVoice = ({ hertz, loudness }: Heard) => Math.abs(hertz - 880) < 15 && loudness > 300;
      await isHeardInside(isVoice);
      await press(page, "microphone");
      const isGone = async () => !(await asUser("pactl list short sources")).includes("qvd_browser");
      expect(await waitFor(isGone, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      await page.context().close();
    },
    SLOW,
  );

  test(
    "gives no microphone that they refuse",
    async () => {
      const page = await sitDown();
      await press(page, "microphone");
      await page.waitForSelector("#microphone[aria-pressed=false][title*=':']");
      expect(await asUser("pactl list short sources")).not.toContain("qvd_browser_microphone");
      await page.context().close();
    },
    SLOW,
  );
});

test(
  "a person in Firefox hears the desktop, and is heard",
  async () => {
    // It runs no sound without a loudspeaker.
    const loudspeaker = await startLoudspeaker();
    const firefox = await startFirefox({
      env: loudspeaker.env,
      preferences: { "media.navigator.permission.disabled": true, "media.navigator.streams.fake": true },
    });
    try {
      await firefox.visit(`${lab.url}/`);
      await firefox.evaluate(
        `(login.value = "alice", password.value = "secret", document.querySelector("button[type=submit]").click(), 0)`,
      );
      const becomes = async (expression: string) =>
        expect(await firefoxHolds(firefox, expression), expression).toBe(true);
      await becomes(`document.querySelector(".desktop-list") !== null`);
      await firefox.visit(`${lab.url}/desktop/1`);
      await becomes(`document.querySelector("main")?.dataset.shown !== undefined`);
      await firefox.click(...(await middleOfTool(firefox, "sound")));
      await becomesUsual("sink", "qvd_browser");
      await whilePlaying(770, async () => {
        const pitch = async () => hearPitch(await loudspeaker.record()).hertz;
        expect(await hears(pitch, isAbout(770))).toBe(true);
      });
      await firefox.click(...(await middleOfTool(firefox, "microphone")));
      await becomesUsual("source", "qvd_browser_microphone");
      // Firefox's own tone of a microphone that isn't there.
      await isHeardInside(({ loudness }) => loudness > 300);
    } finally {
      await firefox.stop();
      await loudspeaker.stop();
    }
  },
  SLOW,
);
