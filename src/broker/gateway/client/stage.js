/** What a screen is shown on: noVNC's canvas, the veil before it, the keyboard's field, and the tools of every kind of screen. */

import RFB from "@novnc/novnc";
import { Keys } from "./keys.js";

const byId = (id) => document.getElementById(id);

export class Stage {
  main = document.querySelector("main");
  screen = byId("screen");
  keys;
  /** noVNC's, while a screen is shown. */
  rfb;
  #veil = byId("veil");
  #bar = byId("bar");

  constructor() {
    this.keys = new Keys(makeField(this.main), byId("keyboard"));
    // Before noVNC keeps the click from us.
    this.screen.addEventListener("mousedown", () => this.keys.focus(), { capture: true });
    byId("fullscreen").addEventListener("click", () => void this.#toggleFullscreen());
    byId("cad").addEventListener("click", () => {
      this.rfb?.sendCtrlAltDel();
      this.keys.focus();
    });
    document.addEventListener("fullscreenchange", () => {
      byId("fullscreen").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
    });
  }

  /** The screen is not there; the person is told why. `again` is the word of a button that opens it. */
  say(title, text, { isBusy = true, again } = {}) {
    byId("veil-title").textContent = title;
    byId("veil-text").textContent = text;
    byId("spinner").hidden = !isBusy;
    byId("again").hidden = again === undefined;
    if (again !== undefined) byId("again").textContent = again;
    this.#veil.hidden = false;
    delete this.main.dataset.shown;
    this.#bar.hidden = true;
    // A dialogue would lie over the veil, and keep its button from being pressed.
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  }

  get size() {
    return { width: Math.floor(this.screen.clientWidth), height: Math.floor(this.screen.clientHeight) };
  }

  get canvas() {
    return this.screen.querySelector("canvas");
  }

  /** `onShown` comes with the first picture's size. */
  show(channel, { mayTouch = true, isConsole = false, onShown }) {
    this.screen.replaceChildren();
    const mine = new RFB(this.screen, channel, { shared: true });
    this.rfb = mine;
    keepLocks(mine);
    mine.viewOnly = !mayTouch;
    mine.focusOnClick = false;
    mine.background = "#10151b";
    // Half the bytes of 8 for film; the server sends what rests once more, as it is.
    mine.qualityLevel = 6;
    mine.addEventListener("connect", () => {
      this.#veil.hidden = true;
      this.#bar.hidden = false;
      this.main.dataset.shown = "";
      if (mayTouch)
        this.keys.attach({
          target: () => this.canvas,
          type: (keysym) => mine.sendKey(keysym, null),
          isByPlace: isConsole,
        });
      this.keys.focus();
      this.fit();
      onShown?.();
    });
    mine.addEventListener("disconnect", () => {
      // noVNC may take seconds to say it, and there is a newer one by then.
      if (this.rfb === mine) delete this.main.dataset.shown;
    });
    new ResizeObserver(() => this.fit()).observe(this.canvas);
  }

  /** Scales only where X has no such size: a pixel more or less is no reason to blur them all. */
  fit() {
    const { canvas, rfb } = this;
    if (!rfb || !canvas) return;
    const { width, height } = this.size;
    const isNear = Math.abs(canvas.width - width) <= 1 && Math.abs(canvas.height - height) <= 1;
    if (rfb.scaleViewport === isNear) rfb.scaleViewport = !isNear;
  }

  async #toggleFullscreen() {
    if (document.fullscreenElement) return document.exitFullscreen();
    await this.main.requestFullscreen();
    // Where the browser can, keys such as Alt+Tab are the desktop's then.
    await navigator.keyboard?.lock?.();
    this.keys.focus();
  }
}

/**
 * Two fingers that zoom hold Control, and noVNC says of it nothing about Caps and Num Lock, which it then takes for another
 * state than the desktop's and presses both. Null means that nothing is known.
 */
function keepLocks(rfb) {
  const pass = rfb._handleKeyEvent.bind(rfb);
  rfb._handleKeyEvent = (keysym, code, isDown, numLock = null, capsLock = null) =>
    pass(keysym, code, isDown, numLock, capsLock);
}

function makeField(main) {
  const field = document.createElement("textarea");
  field.className = "screen-keys";
  field.setAttribute("aria-label", `Keyboard of ${main.dataset.name}`);
  field.autocapitalize = "off";
  field.autocomplete = "off";
  field.setAttribute("autocorrect", "off");
  field.spellcheck = false;
  main.append(field);
  return field;
}
