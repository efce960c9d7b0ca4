/**
 * The clipboard, shared while the person says so: what the desktop copies goes to this computer's, and this computer's
 * goes to the desktop when the window is looked at. The browser asks besides, the first time. Where it lets a page read or
 * write at a key or a click alone (Firefox), what was copied there is written at the next one, and what was copied here
 * goes to the desktop with the keys that paste.
 */

export class Clipboard {
  #isShared = false;
  #last = "";
  /** What the browser hasn't let us write yet. */
  #kept;
  #say = () => {};
  #button;

  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => this.#share(!this.#isShared));
    window.addEventListener("focus", () => void this.#give());
    // What is copied elsewhere meanwhile is newer.
    window.addEventListener("blur", () => {
      this.#kept = undefined;
    });
    for (const type of ["keydown", "pointerup"])
      window.addEventListener(type, () => void this.#write(), { capture: true });
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
    this.#kept = document.hasFocus() ? text : undefined;
    await this.#write();
  }

  get isShared() {
    return this.#isShared;
  }

  /** What the browser says at a paste; true when it is new to the desktop. */
  offer(text) {
    if (!this.#isShared || text === "" || text === this.#last) return false;
    this.#last = text;
    this.#say({ type: "clipboard", text });
    return true;
  }

  async #write() {
    const text = this.#kept;
    if (text === undefined) return;
    try {
      await navigator.clipboard.writeText(text);
      if (this.#kept === text) this.#kept = undefined;
    } catch {
      // Not before a key or a click, or never: then it stays in the desktop.
    }
  }

  #share(isShared) {
    this.#isShared = isShared;
    this.#kept = undefined;
    this.#button.setAttribute("aria-pressed", String(isShared));
    this.#say({ type: "share-clipboard", isShared });
    if (isShared) void this.#give();
  }

  async #give() {
    if (!this.#isShared) return;
    try {
      this.offer(await navigator.clipboard.readText());
    } catch {
      // Not allowed, or nothing that is text.
    }
  }
}
