/**
 * Lets somebody see a screen and touch nothing: passes what a viewer must say to get pictures, and leaves out keys, the
 * pointer, the clipboard, and whatever changes the screen's size. For RFB 3.8 without encryption, from its first byte. What
 * this doesn't know ends the viewing: how long it is can't be told, so nothing after it could be.
 */

import { CLIENT_MESSAGE, GREETING, GREETING_BYTES, readMessageLength } from "./client-message.ts";

/** All others touch something: keys, pointer, clipboard, the machine's power, the screen's size. */
const PASSES: ReadonlySet<number> = new Set([
  CLIENT_MESSAGE.setPixelFormat,
  CLIENT_MESSAGE.setEncodings,
  CLIENT_MESSAGE.updateRequest,
  CLIENT_MESSAGE.continuousUpdates,
  CLIENT_MESSAGE.fence,
]);

export class ViewOnly {
  #greetingAt = 0;
  #waiting = new Uint8Array(0);
  /** Of a message whose head was read. */
  #bodyLeft = 0;
  #passesBody = false;

  /** What may go on; undefined when the viewer says what is not known. */
  filter(chunk: Uint8Array): Uint8Array | undefined {
    const passed: Uint8Array[] = [];
    const bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    const greeting = bytes.subarray(0, GREETING_BYTES - this.#greetingAt);
    // Of another version it would be shorter, and all that follows would be taken for something else.
    const words = greeting.subarray(0, Math.max(0, GREETING.length - this.#greetingAt));
    if (!GREETING.subarray(this.#greetingAt, this.#greetingAt + words.length).equals(words)) return undefined;
    this.#greetingAt += greeting.length;
    let at = greeting.length;
    // Where what passes and was not given on begins: messages side by side go on as one piece, or small ones would cost much.
    let from = 0;
    while (at < bytes.length) {
      if (this.#bodyLeft === 0) {
        const length = readMessageLength(bytes, at);
        if (length === "unknown") return undefined;
        if (length === "more") break;
        this.#bodyLeft = length;
        this.#passesBody = PASSES.has(bytes[at] ?? 0);
      }
      const count = Math.min(this.#bodyLeft, bytes.length - at);
      this.#bodyLeft -= count;
      if (!this.#passesBody) {
        if (from < at) passed.push(bytes.subarray(from, at));
        from = at + count;
      }
      at += count;
    }
    if (from < at) passed.push(bytes.subarray(from, at));
    // At most a head, kept as the chunk may be used again.
    this.#waiting = Uint8Array.from(bytes.subarray(at));
    return passed.length === 1 ? passed[0] : Buffer.concat(passed);
  }
}
