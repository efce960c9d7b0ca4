/**
 * The keyboard. noVNC reads key events alone, which leaves out what takes more than one: dead keys, input methods, the
 * keyboard of a touch screen. So the focus is in a text field of ours that nobody sees: keys that mean themselves go on to
 * noVNC, and what a method puts together arrives as text and is typed letter by letter.
 *
 * On a touch screen the field asks for no keyboard until the button is pressed; else it would rise with every tap. Such a
 * keyboard tells of words and not of keys: each letter is typed as it joins the word, and taken back when the word changes.
 */

const BACK_SPACE = 0xff08;
const RETURN = 0xff0d;
/** What a key event says while a method takes it. */
const TAKEN = 229;
/** Something for the touch keyboard's backspace to delete: in an empty field it says nothing. */
const PAD = " ";
/** Words that grow by letters. Others are put together from what is not to be seen: かん is no step of 漢. */
const GROWS = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{N}\p{P}\p{S}]*$/u;

/** How long keys that paste wait for the browser to say what, and then for the desktop to have it. */
const PASTE_SAID_MS = 50;
const PASTE_TAKEN_MS = 250;
/** A paste up to then is still that key's, on a computer with much to do: it is not typed besides. */
const PASTE_LATE_MS = 2_000;

export class Keys {
  #field;
  #button;
  #target = () => undefined;
  #type = () => {};
  #isTouched = false;
  #isByPlace = false;
  /** Letters of a growing word that were typed already. */
  #typed = [];
  /** Keys that went on to noVNC, so that their end does too. */
  #down = new Set();
  #clipboard;
  /** Keys behind one that pastes, while it waits. */
  #held;
  #letting;
  /** Of the key that pastes and hasn't been answered by the browser; in the time of events. */
  #pastesUntilMs = Number.NEGATIVE_INFINITY;

  constructor(field, button) {
    this.#field = field;
    this.#button = button;
    field.addEventListener("keydown", (event) => this.#onKey(event));
    field.addEventListener("keyup", (event) => this.#onKey(event));
    field.addEventListener("input", (event) => this.#onInput(event));
    field.addEventListener("paste", (event) => this.#onPaste(event));
    field.addEventListener("compositionend", (event) => this.#onText(event.data));
    field.addEventListener("blur", () => this.#down.clear());
    if (matchMedia("(pointer: coarse)").matches) field.inputMode = "none";
    button.addEventListener("click", () => this.#toggle());
  }

  /**
   * `target` is where noVNC listens, `type` sends a keysym down and up. `isByPlace` is of a machine's own screen: its system
   * has the layout and puts letters together, and hears of places of keys alone.
   */
  attach({ target, type, isByPlace = false }) {
    this.#target = target;
    this.#type = type;
    this.#isByPlace = isByPlace;
  }

  /** Has what was copied on this computer go before the keys that paste it. */
  pasteFrom(clipboard) {
    this.#clipboard = clipboard;
  }

  focus() {
    // Outside of a field of text no browser puts dead keys together.
    const place = this.#isByPlace && !this.#isTouched ? this.#target() : this.#field;
    place?.focus({ preventScroll: true });
  }

  /** The keyboard of the screen, up or down. */
  #toggle() {
    this.#isTouched = !this.#isTouched;
    this.#button.setAttribute("aria-pressed", String(this.#isTouched));
    this.#field.inputMode = this.#isTouched ? "text" : "none";
    this.#empty();
    // A browser looks at what the field wants when it gets the focus.
    this.#field.blur();
    this.focus();
  }

  #empty() {
    this.#typed = [];
    this.#field.value = this.#isTouched ? PAD : "";
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
  }

  #onKey(event) {
    const isMethods =
      event.isComposing || event.keyCode === TAKEN || event.key === "Process" || event.key === "Dead";
    if (event.type === "keydown" ? isMethods : !this.#down.has(event.code)) return;
    if (event.type === "keydown") this.#down.add(event.code);
    else this.#down.delete(event.code);
    if (this.#clipboard?.isShared && isPaste(event) && this.#held === undefined) {
      this.#held = [copyOf(event)];
      this.#pastesUntilMs = event.timeStamp + PASTE_LATE_MS;
      // Not prevented: the browser says what there is to paste.
      return this.#letGoIn(PASTE_SAID_MS);
    }
    if (this.#held === undefined) this.#target()?.dispatchEvent(copyOf(event));
    else this.#held.push(copyOf(event));
    event.preventDefault();
  }

  #onPaste(event) {
    if (this.#held === undefined && event.timeStamp > this.#pastesUntilMs) return;
    this.#pastesUntilMs = Number.NEGATIVE_INFINITY;
    event.preventDefault();
    const isNew = this.#clipboard.offer(event.clipboardData?.getData("text/plain") ?? "");
    // Too late for its key: the desktop has it for the next one.
    if (this.#held !== undefined) this.#letGoIn(isNew ? PASTE_TAKEN_MS : 0);
  }

  #letGoIn(waitMs) {
    clearTimeout(this.#letting);
    this.#letting = setTimeout(() => {
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const event of held) this.#target()?.dispatchEvent(event);
    }, waitMs);
  }

  #onInput(event) {
    if (event.isComposing) {
      if (this.#isTouched && GROWS.test(event.data ?? "")) this.#grow(event.data ?? "");
      return;
    }
    if (event.inputType === "deleteContentBackward") this.#type(BACK_SPACE);
    else if (event.inputType === "insertLineBreak") this.#type(RETURN);
    else if (event.inputType !== "insertCompositionText" && event.inputType !== "insertFromComposition")
      this.#onText(event.data);
    this.#empty();
  }

  #onText(text) {
    this.#grow(text ?? "");
    this.#empty();
  }

  /** Types what `word` has more than was typed of it, and takes back what it has no longer. */
  #grow(word) {
    const letters = [...word];
    let same = 0;
    while (same < letters.length && letters[same] === this.#typed[same]) same++;
    for (let count = this.#typed.length; count > same; count--) this.#type(BACK_SPACE);
    for (const letter of letters.slice(same)) this.#type(keysymOf(letter));
    this.#typed = letters;
  }
}

function isPaste({ type, key, ctrlKey, shiftKey, altKey }) {
  if (type !== "keydown" || altKey) return false;
  return ctrlKey ? key.toLowerCase() === "v" : shiftKey && key === "Insert";
}

/** X has numbers of its own for what is in Latin-1, and Unicode's for the rest. */
function keysymOf(letter) {
  if (letter === "\n") return RETURN;
  const code = letter.codePointAt(0);
  return code < 256 ? code : 0x1000000 + code;
}

function copyOf(event) {
  const { key, code, location, repeat, ctrlKey, shiftKey, altKey, metaKey, keyCode } = event;
  const held = (name) => event.getModifierState(name);
  return new KeyboardEvent(event.type, {
    ...{ key, code, location, repeat, ctrlKey, shiftKey, altKey, metaKey, keyCode },
    bubbles: true,
    cancelable: true,
    modifierAltGraph: held("AltGraph"),
    modifierCapsLock: held("CapsLock"),
    modifierNumLock: held("NumLock"),
  });
}
