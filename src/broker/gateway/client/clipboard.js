/**
 * The clipboard, shared while the person says so: what the desktop copies goes to this computer's, and this computer's
 * goes to the desktop when the window is looked at. The browser asks besides, the first time.
 */

export class Clipboard {
  #isShared = false;
  #last = "";
  #say = () => {};
  #button;

  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.#share(!this.#isShared));
    window.addEventListener("focus", () => void this.#give());
  }

  /** `say` tells the gateway something. */
  attach(say) {
    this.#say = say;
    if (this.#isShared) this.#share(true);
  }

  /** The desktop copied something. */
  async take(text) {
    if (!this.#isShared) return;
    this.#last = text;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // The window isn't looked at, or the browser says no: then it stays in the desktop.
    }
  }

  #share(isShared) {
    this.#isShared = isShared;
    this.#button.setAttribute("aria-pressed", String(isShared));
    this.#say({ type: "share-clipboard", isShared });
    if (isShared) void this.#give();
  }

  async #give() {
    if (!this.#isShared) return;
    try {
      const text = await navigator.clipboard.readText();
      if (text === "" || text === this.#last) return;
      this.#last = text;
      this.#say({ type: "clipboard", text });
    } catch {
      // Not allowed, or nothing that is text.
    }
  }
}
