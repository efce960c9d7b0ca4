/** The page of somebody at a screen that is not theirs. Its ticket is good once: after a break another one is needed. */

import { PageChannel } from "./page-channel.js";
import { Stage } from "./stage.js";

const ENDS = {
  "sent-away": "The person at the desktop has ended this.",
  refused: "The person at the desktop said no.",
  "session-over": "The session that was shown here is over.",
  "desktop-closed": "The desktop closed its screen.",
  "not-answered": "The person at the desktop gave no answer.",
  "right-lost": "You may not see this any more: the right to it was taken away.",
  "signed-out": "You signed out of the web admin tool, which ends this.",
  "person-came": "The person of this machine has come to its console, so this is over.",
  "too-slow": "This browser took pictures too slowly.",
};

const stage = new Stage();
const { name } = stage.main.dataset;
// What stands behind the # is sent to no server, and stays in no history.
const ticket = stage.main.dataset.ticket ?? location.hash.slice(1);
if (location.hash !== "") history.replaceState(null, "", location.pathname);

let isOver = false;

function open() {
  const channel = new PageChannel(`wss://${location.host}/visit/ws?${new URLSearchParams({ ticket })}`, {
    onText: (message) => {
      if (message.type === "progress") stage.say(`Asking for ${name}`, message.text);
      else if (message.type === "ready") show(channel, message);
      else end(message.type === "refused" ? message.text : ENDS[message.cause]);
    },
    onEnd: () => end("The connection is closed, or the link was used before."),
  });
}

function show(channel, { kind, name: whose, mayControl: mayTouch }) {
  const told = document.getElementById("watching");
  told.hidden = kind === "console";
  told.textContent = mayTouch
    ? `You see and control ${whose}.`
    : `You see ${whose}, and touch nothing on it.`;
  document.title = `${whose} · QVD`;
  for (const id of ["keyboard", "cad"]) document.getElementById(id).hidden = !mayTouch;
  stage.show(channel, { mayTouch, isConsole: kind === "console" });
}

function end(text = "The screen was closed.") {
  if (isOver) return;
  isOver = true;
  stage.say("Over", text, { isBusy: false });
}

// Another link in the same tab.
addEventListener("hashchange", () => location.reload());
new ResizeObserver(() => stage.fit()).observe(stage.screen);
if (ticket === "") end("This page needs a link that was made for you.");
else open();
