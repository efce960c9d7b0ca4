/**
 * The page of a desktop: asks for a ticket, opens the WebSocket, shows how the start goes, then noVNC's canvas. After a
 * break of the network it comes back by itself, with a ticket of its own each time.
 */

import RFB from "@novnc/novnc";
import { Clipboard } from "./clipboard.js";
import { Files } from "./files.js";
import { Keys } from "./keys.js";
import { PageChannel } from "./page-channel.js";

const RESIZE_MS = 250;
const RETRY = { firstMs: 500, mostMs: 10_000, most: 40 };
/** Why it is over, in words; what isn't here is worth another try. */
const ENDS = {
  superseded: ["Shown elsewhere", "Another client of yours has taken this desktop over."],
  "ended-by-administrator": ["Disconnected", "An administrator has ended this connection."],
  "ended-by-owner": ["Disconnected", "The connection was ended at your wish."],
  blocked: ["Blocked", "An administrator has blocked this desktop."],
};

const byId = (id) => document.getElementById(id);
const main = document.querySelector("main");
const { desktop, name, csrf } = main.dataset;
const [screen, veil, bar] = [byId("screen"), byId("veil"), byId("bar")];

const field = document.createElement("textarea");
field.className = "screen-keys";
field.setAttribute("aria-label", `Keyboard of ${name}`);
field.autocapitalize = "off";
field.autocomplete = "off";
field.spellcheck = false;
main.append(field);

const keys = new Keys(field);
new Files({ desktop, csrf, onClose: () => keys.focus() });
const clipboard = new Clipboard(byId("clipboard"));
let channel;
let rfb;
let tries = 0;

/** The screen is not there; the person is told why. */
function say(title, text, { isBusy = true, canTryAgain = false } = {}) {
  byId("veil-title").textContent = title;
  byId("veil-text").textContent = text;
  byId("spinner").hidden = !isBusy;
  byId("again").hidden = !canTryAgain;
  veil.hidden = false;
  delete main.dataset.shown;
  bar.hidden = true;
  // A dialogue would lie over the veil, and keep its button from being pressed.
  byId("files").close();
}

function windowSize() {
  return { width: Math.floor(screen.clientWidth), height: Math.floor(screen.clientHeight) };
}

async function fetchTicket() {
  const response = await fetch(`/desktop/${desktop}/ticket`, {
    method: "POST",
    headers: { "X-CSRF-Token": csrf, Accept: "application/json" },
  });
  if (response.status === 401) location.assign(`/sign-in?next=/desktop/${desktop}`);
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.error.message), { isFinal: response.status < 500 });
  return body.ticket;
}

async function open() {
  let ticket;
  try {
    ticket = await fetchTicket();
  } catch (error) {
    if (error.isFinal) return say("Not possible", error.message, { isBusy: false, canTryAgain: true });
    return retryLater();
  }
  const { width, height } = windowSize();
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  const query = new URLSearchParams({ ticket, width, height, timezone });
  let isOver = false;
  const opened = new PageChannel(`wss://${location.host}/desktop/${desktop}/ws?${query}`, {
    onText: (message) => {
      if (message.type === "progress") say(`Opening ${name}`, message.text);
      else if (message.type === "ready") show(opened);
      else if (message.type === "clipboard") clipboard.take(message.text);
      else {
        isOver = true;
        finish(message);
      }
    },
    onEnd: () => {
      if (channel === opened) channel = undefined;
      if (!isOver) retryLater();
    },
  });
  channel = opened;
}

function finish({ type, cause, text }) {
  if (type === "refused") return say("Not possible now", text, { isBusy: false, canTryAgain: true });
  const end = ENDS[cause];
  if (end === undefined) return retryLater();
  say(end[0], end[1], { isBusy: false, canTryAgain: true });
}

function retryLater() {
  tries += 1;
  if (tries > RETRY.most)
    return say("Not reached", "The desktop can't be reached.", { isBusy: false, canTryAgain: true });
  say("Connecting again", "The connection was lost; the desktop goes on.");
  setTimeout(open, Math.min(RETRY.mostMs, RETRY.firstMs * 2 ** Math.min(tries - 1, 10)));
}

function show(on) {
  screen.replaceChildren();
  const mine = new RFB(screen, on, { shared: true });
  rfb = mine;
  rfb.focusOnClick = false;
  rfb.background = "#10151b";
  rfb.qualityLevel = 8;
  rfb.addEventListener("connect", () => {
    tries = 0;
    veil.hidden = true;
    bar.hidden = false;
    main.dataset.shown = "";
    keys.attach({
      target: () => screen.querySelector("canvas"),
      type: (keysym) => rfb.sendKey(keysym, null),
    });
    clipboard.attach((message) => on.say(message));
    keys.focus();
    fit();
    askForSize();
  });
  rfb.addEventListener("disconnect", () => {
    // noVNC may take seconds to say it, and there is a newer one by then.
    if (rfb === mine) delete main.dataset.shown;
  });
  new ResizeObserver(fit).observe(screen.querySelector("canvas"));
}

/** Scales only where X has no such size: a pixel more or less is no reason to blur them all. */
function fit() {
  const canvas = screen.querySelector("canvas");
  if (!rfb || !canvas) return;
  const { width, height } = windowSize();
  const isNear = Math.abs(canvas.width - width) <= 1 && Math.abs(canvas.height - height) <= 1;
  if (rfb.scaleViewport === isNear) rfb.scaleViewport = !isNear;
}

let asked = "";
function askForSize() {
  const { width, height } = windowSize();
  const canvas = screen.querySelector("canvas");
  const wanted = `${width}x${height}`;
  if (asked === wanted || !canvas || (canvas.width === width && canvas.height === height)) return;
  asked = wanted;
  channel?.say({ type: "resize", width, height });
}

let resizing;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    askForSize();
    fit();
  }, RESIZE_MS);
}).observe(screen);

// Before noVNC keeps the click from us.
screen.addEventListener("mousedown", () => keys.focus(), { capture: true });
byId("again").addEventListener("click", () => {
  tries = 0;
  say(`Opening ${name}`, "One moment.");
  open();
});
byId("fullscreen").addEventListener("click", async () => {
  if (document.fullscreenElement) return document.exitFullscreen();
  await main.requestFullscreen();
  // Where the browser can, keys such as Alt+Tab are the desktop's then.
  await navigator.keyboard?.lock?.();
  keys.focus();
});
byId("keyboard").addEventListener("click", () => keys.focus());
byId("cad").addEventListener("click", () => {
  rfb?.sendCtrlAltDel();
  keys.focus();
});
open();
