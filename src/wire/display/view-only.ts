/**
 * Lets somebody see a screen and touch nothing: passes what a viewer must say to get pictures, and leaves out keys, the
 * pointer, the clipboard, and whatever changes the screen's size. For RFB 3.8 without encryption, from its first byte. What
 * this doesn't know ends the viewing: how long it is can't be told, so nothing after it could be.
 */

/** What a client says before its messages: version, kind of security (none); then a byte, whether others may look. */
const GREETING = Buffer.from("RFB 003.008\n\x01", "latin1");
const GREETING_BYTES = GREETING.length + 1;

type Rule = {
  readonly passes: boolean;
  /** Bytes needed to tell the length, and the length; both with the type's byte. */
  readonly headBytes: number;
  readonly lengthOf: (head: DataView) => number;
};

const fixed = (bytes: number, passes: boolean): Rule => ({ passes, headBytes: 1, lengthOf: () => bytes });

/** By type. */
const RULES: Readonly<Record<number, Rule>> = {
  // SetPixelFormat, SetEncodings, FramebufferUpdateRequest
  0: fixed(20, true),
  2: { passes: true, headBytes: 4, lengthOf: (head) => 4 + 4 * head.getUint16(2) },
  3: fixed(10, true),
  // KeyEvent, PointerEvent, ClientCutText (negative: the extended clipboard)
  4: fixed(8, false),
  5: fixed(6, false),
  6: { passes: false, headBytes: 8, lengthOf: (head) => 8 + Math.abs(head.getInt32(4)) },
  // EnableContinuousUpdates, ClientFence
  150: fixed(10, true),
  248: { passes: true, headBytes: 9, lengthOf: (head) => 9 + head.getUint8(8) },
  // xvp, SetDesktopSize, QEMU's key with its scan code
  250: fixed(4, false),
  251: { passes: false, headBytes: 8, lengthOf: (head) => 8 + 16 * head.getUint8(6) },
  255: fixed(12, false),
};

export class ViewOnly {
  #greetingAt = 0;
  #waiting = new Uint8Array(0);
  /** Of a message whose head was read. */
  #bodyLeft = 0;
  #passesBody = false;

  /** What may go on; undefined when the viewer says what is not known. */
  filter(chunk: Uint8Array): Uint8Array | undefined {
    const passed: Uint8Array[] = [];
    let bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    const greeting = bytes.subarray(0, GREETING_BYTES - this.#greetingAt);
    // Of another version it would be shorter, and all that follows would be taken for something else.
    const words = greeting.subarray(0, Math.max(0, GREETING.length - this.#greetingAt));
    if (!GREETING.subarray(this.#greetingAt, this.#greetingAt + words.length).equals(words)) return undefined;
    this.#greetingAt += greeting.length;
    if (greeting.length > 0) passed.push(greeting);
    bytes = bytes.subarray(greeting.length);
    while (bytes.length > 0) {
      if (this.#bodyLeft === 0) {
        const rule = RULES[bytes[0] ?? 0];
        if (rule === undefined) return undefined;
        if (bytes.length < rule.headBytes) break;
        this.#bodyLeft = rule.lengthOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
        this.#passesBody = rule.passes;
      }
      const body = bytes.subarray(0, this.#bodyLeft);
      this.#bodyLeft -= body.length;
      if (this.#passesBody) passed.push(body);
      bytes = bytes.subarray(body.length);
    }
    // At most a head, kept as the chunk may be used again.
    this.#waiting = Uint8Array.from(bytes);
    return passed.length === 1 ? passed[0] : Buffer.concat(passed);
  }
}
