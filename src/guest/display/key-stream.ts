/**
 * What a viewer says on its way to the screen server: passes unchanged and in order, only that a letter waits until there is
 * a key for it (`spare-keys.ts`). What can't be read passes unread.
 */

import {
  CLIENT_MESSAGE,
  GREETING,
  GREETING_BYTES,
  readMessageLength,
} from "../../wire/display/client-message.ts";
import type { SpareKeys } from "./spare-keys.ts";

const SHIFTS: ReadonlySet<number> = new Set([0xffe1, 0xffe2]);
/** A viewer that says so much while one letter waits says no letters. */
const MOST_WAITING_BYTES = 1024 * 1024;

export type KeyStreamOptions = {
  readonly keys: Pick<SpareKeys, "ensure">;
  readonly send: (bytes: Uint8Array) => void;
  /** When what waits is too much. */
  readonly giveUp: () => void;
};

export class KeyStream {
  readonly #options: KeyStreamOptions;
  #greeting = new Uint8Array(0);
  /** A head or a key that hasn't come whole, or what is behind a letter that waits. */
  #waiting: Uint8Array = new Uint8Array(0);
  /** Of a message of no keys: it may be of gigabytes by its head, so it is not waited for. */
  #bodyLeft = 0;
  #isHeld = false;
  #isBlind = false;
  #shifts = new Set<number>();

  constructor(options: KeyStreamOptions) {
    this.#options = options;
  }

  /** May keep the chunk. */
  data(chunk: Uint8Array): void {
    const bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    if (this.#isHeld) {
      this.#waiting = bytes;
      if (bytes.length > MOST_WAITING_BYTES) this.#options.giveUp();
      return;
    }
    this.#waiting = new Uint8Array(0);
    this.#pass(bytes);
  }

  #pass(bytes: Uint8Array): void {
    if (this.#isBlind) return void this.#options.send(bytes);
    let at = this.#greet(bytes);
    while (at < bytes.length && !this.#isBlind) {
      const message = bytes.subarray(at);
      if (this.#bodyLeft > 0) {
        at += Math.min(this.#bodyLeft, message.length);
        this.#bodyLeft = Math.max(0, this.#bodyLeft - message.length);
        continue;
      }
      const length = readMessageLength(message);
      this.#isBlind = length === "unknown";
      if (typeof length !== "number") break;
      if (!isKey(message)) {
        this.#bodyLeft = length;
        continue;
      }
      if (message.length < length) break;
      const wait = this.#look(message);
      if (wait !== undefined) return void this.#hold(bytes, at, wait);
      at += length;
    }
    const known = this.#isBlind ? bytes.length : at;
    if (known > 0) this.#options.send(bytes.subarray(0, known));
    this.#waiting = bytes.subarray(known);
  }

  /** How many of the bytes are the greeting's. */
  #greet(bytes: Uint8Array): number {
    const missing = GREETING_BYTES - this.#greeting.length;
    if (missing === 0) return 0;
    this.#greeting = Buffer.concat([this.#greeting, bytes.subarray(0, missing)]);
    const words = this.#greeting.subarray(0, GREETING.length);
    this.#isBlind = !GREETING.subarray(0, words.length).equals(words);
    return Math.min(missing, bytes.length);
  }

  #look(message: Uint8Array): Promise<void> | undefined {
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    const isDown = (view.getUint8(0) === CLIENT_MESSAGE.key ? view.getUint8(1) : view.getUint16(2)) !== 0;
    const keysym = view.getUint32(4);
    if (SHIFTS.has(keysym)) this.#shifts[isDown ? "add" : "delete"](keysym);
    return isDown ? this.#options.keys.ensure(keysym, this.#shifts.size > 0) : undefined;
  }

  #hold(bytes: Uint8Array, at: number, wait: Promise<void>): void {
    if (at > 0) this.#options.send(bytes.subarray(0, at));
    this.#isHeld = true;
    this.#waiting = bytes.subarray(at);
    const goOn = () => {
      this.#isHeld = false;
      const rest = this.#waiting;
      this.#waiting = new Uint8Array(0);
      // The letter itself: there is a key for it now, or there will be none.
      const length = readMessageLength(rest);
      const first = typeof length === "number" ? length : 0;
      this.#options.send(rest.subarray(0, first));
      this.#pass(rest.subarray(first));
    };
    wait.then(goOn, goOn);
  }
}

function isKey([type]: Uint8Array): boolean {
  return type === CLIENT_MESSAGE.key || type === CLIENT_MESSAGE.qemu;
}
