/**
 * The page of a desktop: asks for a ticket, opens the WebSocket, shows how the start goes, then noVNC's canvas. After a
 * break of the network it comes back by itself, with a ticket of its own each time.
 */

import { Clipboard } from "./clipboard.js";
import { describeEnd } from "./ends.js";
import { Files } from "./files.js";
import { PageChannel } from "./page-channel.js";
import { Sharing } from "./sharing.js";
import { Sound } from "./sound.js";
import { Stage } from "./stage.js";

const RESIZE_MS = 250;
const RETRY = { firstMs: 500, mostMs: 10_000, most: 40 };
/** Of a line that swallows what is asked. */
const TICKET_MS = 15_000;
const byId = (id) => document.getElementById(id);
const stage = new Stage();
const { main, screen, keys } = stage;
const { desktop, name, csrf, screen: kind } = main.dataset;
const say = stage.say.bind(stage);

const sharing = new Sharing({ onClose: () => keys.focus() });
new Files({ desktop, csrf, onClose: () => keys.focus() });
const clipboard = new Clipboard(byId("clipboard"));
keys.pasteFrom(clipboard);
const sound = new Sound({ module: main.dataset.audio, openSocket });
let channel;
let tries = 0;

async function fetchTicket() {
  const response = await fetch(`/desktop/${desktop}/ticket`, {
    method: "POST",
    headers: { "X-CSRF-Token": csrf, Accept: "application/json" },
    signal: AbortSignal.timeout(TICKET_MS),
  });
  if (response.status === 401) location.assign(`/sign-in?next=/desktop/${desktop}`);
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.error.message), { isFinal: response.status < 500 });
  return body.ticket;
}

/** One more WebSocket of this desktop. */
async function openSocket(kind, query) {
  const words = new URLSearchParams({ ...query, ticket: await fetchTicket() });
  return new WebSocket(`wss://${location.host}/desktop/${desktop}/${kind}?${words}`);
}

async function open() {
  let ticket;
  try {
    ticket = await fetchTicket();
  } catch (error) {
    if (error.isFinal) return say("Not possible", error.message, { isBusy: false, again: "Try again" });
    return retryLater();
  }
  const { width, height } = stage.size;
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  const query = new URLSearchParams({ ticket, width, height, timezone, screen: kind });
  let [isOver, isReady] = [false, false];
  const opened = new PageChannel(`wss://${location.host}/desktop/${desktop}/ws?${query}`, {
    onText: (message) => {
      if (message.type === "progress") say(isReady ? name : `Opening ${name}`, message.text);
      else if (message.type === "ready") {
        isReady = true;
        show(opened);
      } else if (message.type === "clipboard") clipboard.take(message.text);
      else if (message.type === "sound") sound.offer(message);
      else if (!sharing.take(message)) {
        isOver = true;
        finish(message);
      }
    },
    onEnd: () => {
      if (channel === opened) channel = undefined;
      sound.end();
      if (!isOver) retryLater();
    },
  });
  channel = opened;
}

function finish(message) {
  const { title, text, again } = describeEnd(message);
  if (again === undefined) return retryLater({ title, text });
  say(title, text, { isBusy: false, again });
}

function retryLater({ title, text } = describeEnd({ type: "ended" })) {
  tries += 1;
  if (tries > RETRY.most)
    return say("Not reached", "The desktop can't be reached.", { isBusy: false, again: "Try again" });
  say(title, text);
  setTimeout(open, Math.min(RETRY.mostMs, RETRY.firstMs * 2 ** Math.min(tries - 1, 10)));
}

function show(on) {
  sharing.attach((message) => on.say(message));
  stage.show(on, {
    isConsole: kind === "console",
    onShown() {
      tries = 0;
      clipboard.attach((message) => on.say(message));
      askForSize();
    },
  });
}

let asked = "";
function askForSize() {
  const { canvas } = stage;
  const { width, height } = stage.size;
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
    stage.fit();
  }, RESIZE_MS);
}).observe(screen);

byId("again").addEventListener("click", () => {
  tries = 0;
  say(`Opening ${name}`, "One moment.");
  open();
});
open();
