/**
 * The same as in Chromium, in Debian's Firefox on a screen of its own, with the keys of X: the picture, keys and the pointer,
 * the clipboard, files, fingers, sizes, the full screen, the way back after a break of the network and from an NX client. Sound
 * is in `browser-sound.test.ts`, dead keys and input methods are in `firefox-keys.test.ts`.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { openScreen, type Screen } from "../../bench/screen.ts";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { type Firefox, firefoxHolds, middleOfTool, startFirefox } from "../support/firefox.ts";
import { Visit } from "../support/nx-visit.ts";
import { openTcpCutter } from "../support/tcp-cutter.ts";
import { type BrowserLab, openBrowserLab, WINDOW_PIXELS } from "./browser-lab.ts";

const PLACE = { instance: "ffxlab", network: "172.29.10", screen: ":73" };
const SLOW = 240_000;

let lab: BrowserLab;
let screen: Screen;
let firefox: Firefox;
let folder: string;
let line: ReturnType<typeof openTcpCutter>;

beforeAll(async () => {
  lab = await openBrowserLab(PLACE);
  line = openTcpCutter(lab.door.port);
  screen = await openScreen();
  folder = await mkdtemp("/tmp/qvd-firefox-files-");
  const preferences = {
    "browser.download.dir": folder,
    "browser.download.folderList": 2,
    "browser.helperApps.neverAsk.saveToDisk": "application/octet-stream",
    "browser.download.alwaysOpenPanel": false,
    // As on a computer with a screen for fingers.
    "dom.w3c_touch_events.enabled": 1,
  };
  firefox = await startFirefox({ env: { ...screen.env }, hasScreen: true, preferences });
}, 660_000);

afterAll(async () => {
  await firefox?.stop();
  await screen?.close();
  line?.stop();
  await lab?.stop();
  await rm(folder, { recursive: true, force: true });
}, 180_000);

async function becomes(expression: string): Promise<void> {
  expect(await firefoxHolds(firefox, expression), expression).toBe(true);
}

const x = (...command: readonly string[]) => runOk(`X: ${command[0]}`, command, { env: { ...screen.env } });
const press = (...keys: readonly string[]) => x("xdotool", "key", "--delay", "40", ...keys);

async function hasTyped(text: string): Promise<void> {
  const lastLine = () => lab.desktop.inside("tail -n 1 /home/alice/typed");
  const isThere = async () => (await lastLine()) === text;
  expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 }), await lastLine()).toBe(true);
}

/** Also where a key that pastes has left something before it. */
async function hasTypedEnding(text: string): Promise<void> {
  const lastLine = () => lab.desktop.inside("tail -n 1 /home/alice/typed");
  const isThere = async () => (await lastLine()).endsWith(text);
  expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 }), await lastLine()).toBe(true);
}

/** Signed in, at the desktop, with the focus in its window. */
async function sitDown(url = lab.url): Promise<void> {
  await firefox.visit(`${url}/desktop/1`);
  if ((await firefox.evaluate(`document.getElementById("password") !== null`)) === true) {
    await firefox.evaluate(
      `(login.value = "alice", password.value = "secret", document.querySelector("button[type=submit]").click(), 0)`,
    );
    await becomes(`document.getElementById("password") === null`);
    await firefox.visit(`${url}/desktop/1`);
  }
  await becomes(`document.querySelector("main")?.dataset.shown !== undefined`);
  await becomes(`${WINDOW_PIXELS} > 50000`);
  await takeKeyboard();
  await firefox.click(280, 280);
}

/** X's keys go to the page once a real pointer has pressed there. */
async function takeKeyboard(): Promise<void> {
  const isTaken = async () => {
    const place = await firefox.evaluate("[mozInnerScreenX + 280, mozInnerScreenY + 280].join(' ')");
    await x("xdotool", "mousemove", ...String(place).split(" "), "sleep", "0.2", "click", "1");
    return (await firefox.evaluate("document.hasFocus()")) === true;
  };
  expect(await waitFor(isTaken, { timeoutMs: 60_000, everyMs: 250 })).toBe(true);
}

/** One of the tools, once the bar has come down to show it. */
async function pressTool(id: string): Promise<void> {
  await firefox.click(...(await middleOfTool(firefox, id)));
}

async function middleOf(id: string): Promise<[number, number]> {
  const text = await firefox.evaluate(`(() => {
    const { x, y, width, height } = document.getElementById("${id}").getBoundingClientRect();
    return Math.round(x + width / 2) + " " + Math.round(y + height / 2);
  })()`);
  const [x = 0, y = 0] = String(text).split(" ").map(Number);
  return [x, y];
}

// The tests are the chapters of one desktop's life, in this order.
describe("a person in Firefox", () => {
  test(
    "signs in, opens a desktop, and types in it",
    async () => {
      await sitDown();
      await firefox.press(..."in Firefox ", ..."ñçãüß€@", "\uE007");
      await hasTyped("in Firefox ñçãüß€@");
    },
    SLOW,
  );

  test(
    "shares the clipboard when they say so, by the keys that copy and paste, and not before",
    async () => {
      await x("setxkbmap", "-layout", "us");
      await sitDown();
      const there = (words: string) =>
        lab.desktop.inside(`DISPLAY=:100 timeout 5 xclip -selection clipboard ${words}`);
      const copyInside = (text: string) => there(`-i <<'END' >/dev/null 2>&1\n${text}\nEND`);
      const copyHere = (text: string) =>
        x("sh", "-c", `printf %s '${text}' | xclip -selection clipboard -i >/dev/null 2>&1`);
      const here = async () =>
        (await run(["timeout", "15", "xclip", "-selection", "clipboard", "-o"], { env: { ...screen.env } }))
          .stdout;
      await copyInside("theirs");
      await copyHere("mine");
      await press("ctrl+v");
      await press("b", "e", "f", "o", "r", "e", "Return");
      await hasTypedEnding("before");
      expect(await there("-o")).toBe("theirs");
      await pressTool("clipboard");
      // Firefox asks at the pointer whether the page may read; that is left alone, as by who pastes with keys.
      await press("Escape");
      await firefox.click(280, 280);
      await press("ctrl+v");
      const isTaken = async () => (await there("-o")) === "mine";
      expect(await waitFor(isTaken, { timeoutMs: 60_000, everyMs: 200 })).toBe(true);
      await copyInside("from inside");
      // A person is at it meanwhile: Firefox lets a page write at a key alone.
      const isHere = async () => {
        await press("shift");
        return (await here()).trimEnd() === "from inside";
      };
      expect(await waitFor(isHere, { timeoutMs: 60_000, everyMs: 300 }), await here()).toBe(true);
    },
    SLOW,
  );

  test(
    "sends a file to the desktop, and gets one from it",
    async () => {
      await sitDown();
      await writeFile(`${folder}/año nuevo.txt`, "quarter ".repeat(400_000));
      await pressTool("files-open");
      await firefox.setFiles("#files-input", [`${folder}/año nuevo.txt`]);
      await becomes(`document.body.textContent.includes("is there.")`);
      expect(await lab.desktop.inside("cd /home/alice/Downloads && stat -c '%n %s %U' *")).toBe(
        "año nuevo.txt 3200000 alice",
      );
      const sum = await lab.desktop.inside(
        "cd /home/alice/Downloads && head -c 5000000 /dev/urandom > big.bin && sha256sum < big.bin",
      );
      await sitDown();
      await pressTool("files-open");
      await becomes(`document.querySelector("#files-list")?.textContent.includes("big.bin")`);
      await firefox.evaluate(
        `([...document.querySelectorAll("#files-list a")].find((one) => one.textContent.includes("big.bin")).click(), 0)`,
      );
      const isHere = async () =>
        (await run(["sh", "-c", `sha256sum < "${folder}/big.bin"`])).stdout.trim() === sum;
      expect(await waitFor(isHere, { timeoutMs: 60_000, everyMs: 200 })).toBe(true);
    },
    SLOW,
  );

  test(
    "is back by itself after a break of the network",
    async () => {
      await sitDown(`https://127.0.0.1:${line.port}`);
      line.cut(true);
      await becomes(
        `document.body.textContent.includes("Connecting again") && !document.getElementById("veil").hidden`,
      );
      line.cut(false);
      await becomes(`document.querySelector("main").dataset.shown !== undefined`);
      await becomes(`${WINDOW_PIXELS} > 50000`);
      await firefox.click(280, 280);
      await firefox.press(..."back again", "\uE007");
      await hasTyped("back again");
    },
    SLOW,
  );

  test(
    "has the session follow the window's size, and fill the screen",
    async () => {
      await sitDown();
      const isSized = (width: string | number, height: string | number) =>
        `(({ width, height }) => width === ${width} && height === ${height})(document.querySelector("canvas"))`;
      for (const [width, height] of [
        [1100, 640],
        [800, 500],
      ] as const) {
        await firefox.resize({ width, height });
        await becomes(isSized(width, height));
      }
      await firefox.resize();
      await becomes(isSized("innerWidth", "innerHeight"));
      await pressTool("fullscreen");
      await becomes(`document.fullscreenElement === document.querySelector("main")`);
      await becomes(isSized("screen.width", "screen.height"));
      await pressTool("fullscreen");
      await becomes("document.fullscreenElement === null");
    },
    SLOW,
  );

  test(
    "presses with a finger, and the right button with one that rests",
    async () => {
      await sitDown();
      // A terminal that writes down which buttons it is told of.
      const listen = `stty raw -echo; printf "\\033[?1000h\\033[?1006h"; touch /tmp/mouse-ready; exec cat > /tmp/mouse`;
      await lab.desktop.inside(`cat > /tmp/listen <<'END'\n${listen}\nEND\n`);
      await lab.desktop.inside(
        "DISPLAY=:100 xterm -geometry 200x100+0+0 -e sh /tmp/listen >/dev/null 2>&1 &",
      );
      const isUp = async () => (await lab.desktop.inside("ls /tmp")).includes("mouse-ready");
      expect(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      for (const [forMs, button] of [
        [60, "<0;"],
        [1_300, "<2;"],
      ] as const) {
        // Fingers are told apart by time, and a busy machine's are slow: such a one is tried again.
        const comes = async () => {
          await lab.desktop.inside(": > /tmp/mouse");
          await firefox.touch(300, 300, forMs);
          const has = async () => (await lab.desktop.inside("cat /tmp/mouse")).includes(button);
          return (await waitFor(has, { timeoutMs: 5_000, everyMs: 100 })) === true;
        };
        expect(await waitFor(comes, { timeoutMs: 60_000 }), button).toBe(true);
      }
      await lab.desktop.inside("pkill -f '[/]tmp/listen'; true");
    },
    SLOW,
  );

  test(
    "is told when an NX client of theirs takes the session over, and takes it back",
    async () => {
      await sitDown();
      const windows = await lab.desktop.inside("pgrep -x xterm");
      const other = await openScreen();
      const alice = { login: "alice", password: "secret", vmId: 1 };
      const visit = await Visit.open(other, lab.door.port, alice, { colour: "#204080" });
      await becomes(`document.getElementById("veil-title").textContent === "Shown elsewhere"`);
      await firefox.click(...(await middleOf("again")));
      await becomes(`document.querySelector("main").dataset.shown !== undefined`);
      await becomes(`${WINDOW_PIXELS} > 50000`);
      expect(await lab.desktop.inside("pgrep -x xterm")).toBe(windows);
      await visit.leave();
      await other.close();
    },
    SLOW,
  );
});
