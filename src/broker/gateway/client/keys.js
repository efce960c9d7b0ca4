/**
 * The keyboard. noVNC reads key events alone, which leaves out what takes more than one: dead keys, input methods, the
 * keyboard of a touch screen. So the focus is in a text field of ours that nobody sees: keys that mean themselves go on to
 * noVNC, and what a method puts together arrives as text and is typed letter by letter.
 */

const BACK_SPACE = 0xff08;
const RETURN = 0xff0d;
/** What a key event says while a method takes it. */
const TAKEN = 229;

export class Keys {
  #field;
  #target = () => undefined;
  #type = () => {};
  /** Keys that went on to noVNC, so that their end does too. */
  #down = new Set();

  constructor(field) {
    this.#field = field;
    field.addEventListener("keydown", (event) => this.#onKey(event));
    field.addEventListener("keyup", (event) => this.#onKey(event));
    field.addEventListener("input", (event) => this.#onInput(event));
    field.addEventListener("compositionend", (event) => this.#onText(event.data));
    field.addEventListener("blur", () => this.#down.clear());
  }

  /** `target` is where noVNC listens, `type` sends a keysym down and up. */
  attach({ target, type }) {
    this.#target = target;
    this.#type = type;
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  #onKey(event) {
    const isMethods =
      event.isComposing || event.keyCode === TAKEN || event.key === "Process" || event.key === "Dead";
    if (event.type === "keydown" ? isMethods : !this.#down.has(event.code)) return;
    if (event.type === "keydown") this.#down.add(event.code);
    else this.#down.delete(event.code);
    this.#target()?.dispatchEvent(copyOf(event));
    event.preventDefault();
  }

  #onInput(event) {
    if (event.isComposing) return;
    if (event.inputType === "deleteContentBackward") this.#type(BACK_SPACE);
    else if (event.inputType === "insertLineBreak") this.#type(RETURN);
    else if (event.inputType !== "insertCompositionText" && event.inputType !== "insertFromComposition")
      this.#onText(event.data);
    this.#field.value = "";
  }

  #onText(text) {
    for (const letter of text ?? "") this.#type(keysymOf(letter));
    this.#field.value = "";
  }
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
