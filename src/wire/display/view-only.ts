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
        const length = readMessageLength(bytes);
        if (length === "unknown") return undefined;
        if (length === "more") break;
        this.#bodyLeft = length;
        this.#passesBody = PASSES.has(bytes[0] ?? 0);
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
