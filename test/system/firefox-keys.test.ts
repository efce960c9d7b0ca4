/**
 * Dead keys and an input method of a person's Firefox, which nothing but a keyboard drives: under remote control it has no input method. The
 * page is our keyboard alone, and tells what it would type in a desktop.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { openScreen, type Screen } from "../../bench/screen.ts";
import { runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";

const KEYS = new URL("../../src/broker/gateway/client/keys.js", import.meta.url);
const PAGE = `<!doctype html><meta charset=utf-8>
<textarea id=field style="position:fixed;inset:0;width:100%;height:90%"></textarea><button id=button></button><canvas id=canvas></canvas>
<script type=module>
  import { Keys } from "/keys.js";
  let count = 0;
  const say = (text) => navigator.sendBeacon("/said?" + count++, text);
  const keys = new Keys(field, button);
  const [target, type] = [() => canvas, (keysym) => say(String.fromCodePoint(keysym % 0x1000000))];
  let isByPlace = false;
  canvas.addEventListener("keydown", (event) => say(isByPlace ? "at " + event.code : event.key));
  canvas.tabIndex = -1;
  keys.attach({ target, type });
  // As a machine's console has it.
  addEventListener("keydown", ({ key }) => {
    if (key !== "F9") return;
    isByPlace = true;
    keys.attach({ target, type, isByPlace });
    keys.focus();
    say("by place");
  });
  addEventListener("focus", () => say("looked at"));
  keys.focus();
  say("ready");
</script>`;
const PREFERENCES = [
  'user_pref("browser.aboutwelcome.enabled", false);',
  'user_pref("datareporting.policy.dataSubmissionEnabled", false);',
  'user_pref("termsofuse.bypassNotification", true);',
];
const UP_MS = 90_000;

let screen: Screen;
let profile: string;
let server: Bun.Server<undefined>;
let firefox: Bun.Subprocess;
/** What the page said, by its own count: the browser sends each by itself, and a later one may come first. */
const said = new Map<number, string>();
const words = () => [...said].sort(([one], [other]) => one - other).map(([, text]) => text);

const x = (...command: readonly string[]) => runOk(`X: ${command[0]}`, command, { env: { ...screen.env } });

beforeAll(async () => {
  screen = await openScreen();
  profile = await mkdtemp("/tmp/qvd-firefox-keys-");
  await writeFile(`${profile}/user.js`, PREFERENCES.join("\n"));
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/said") said.set(Number(search.slice(1)), await request.text());
      if (pathname === "/keys.js")
        return new Response(Bun.file(KEYS), { headers: { "Content-Type": "text/javascript" } });
      return new Response(PAGE, { headers: { "Content-Type": "text/html" } });
    },
  });
  const address = `http://127.0.0.1:${server.port}/`;
  firefox = Bun.spawn(["/usr/bin/firefox-esr", "--no-remote", "--profile", profile, "--kiosk", address], {
    // GTK's own input method, which every computer with a screen has.
    env: { ...screen.env, HOME: profile, GTK_IM_MODULE: "gtk-im-context-simple" },
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(await waitFor(() => words().includes("ready"), { timeoutMs: UP_MS, everyMs: 50 })).toBe(true);
  // Until the window has the keyboard: it is shown some time after its page has begun.
  const isHeard = async () => {
    await x("xdotool", "mousemove", "300", "300", "click", "1", "key", "x");
    return (await waitFor(() => words().includes("x"), { timeoutMs: 2_000, everyMs: 20 })) === true;
  };
  expect(await waitFor(isHeard, { timeoutMs: UP_MS, everyMs: 100 })).toBe(true);
}, 240_000);

afterAll(async () => {
  firefox?.kill("SIGKILL");
  await firefox?.exited;
  await server?.stop(true);
  await screen?.close();
  await rm(profile, { recursive: true, force: true });
}, 120_000);

for (const [layout, keys, text] of [
  ["es", ["ntilde", "dead_acute", "a", "b", "dead_diaeresis", "u", "at"], "ñábü@"],
  ["pt", ["ccedilla", "dead_tilde", "a", "dead_grave", "a", "c"], "çãàc"],
  ["de", ["udiaeresis", "ssharp", "dead_circumflex", "a", "z", "y"], "üßâzy"],
] as const)
  test(`a keyboard with the layout ${layout} gives ${text}`, async () => {
    await x("setxkbmap", "-layout", layout);
    await gives(keys, text);
  }, 120_000);

test("what an input method puts together comes as it is, and none of the keys that it took", async () => {
  await x("setxkbmap", "-layout", "us");
  // GTK's own: the number of a letter, shown as it grows.
  await gives(["a", "ctrl+shift+u", "6", "f", "2", "2", "space", "b"], "a漢b");
}, 120_000);

test("at a console keys come by their places, dead ones too, and nothing is put together", async () => {
  await x("setxkbmap", "-layout", "es");
  await x("xdotool", "key", "F9");
  const isSaid = (text: string) => waitFor(() => words().includes(text), { timeoutMs: 60_000, everyMs: 50 });
  expect(await isSaid("by place"), words().join(" ")).toBe(true);
  said.clear();
  for (const key of ["dead_acute", "a", "ntilde", "F8"]) await x("xdotool", "key", "--delay", "40", key);
  expect(await isSaid("at F8"), words().join(" ")).toBe(true);
  const keys = words().filter((one) => one.startsWith("at ") || one.length === 1);
  expect(keys).toEqual(["at Quote", "at KeyA", "at Semicolon", "at F8"]);
}, 120_000);

async function gives(keys: readonly string[], text: string): Promise<void> {
  said.clear();
  for (const key of keys) await x("xdotool", "key", "--delay", "40", key);
  // An x of the beginning may be late.
  const letters = () => words().filter((one) => [...one].length === 1 && one !== "x");
  const isThere = () => letters().join("").startsWith(text);
  expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 }), words().join(" ")).toBe(true);
}
