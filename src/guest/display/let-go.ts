/**
 * Lifts keys and buttons that are held down on a display by a program that plays them, as the shadow of an NX client does: X
 * goes on holding what a player that ended had pressed, and letters would repeat for ever.
 */

import type { Log } from "../../lib/log.ts";
import { XConnection } from "../screen/x-connection.ts";

const QUERY_POINTER = 38;
const QUERY_KEYMAP = 44;
const QUERY_EXTENSION = 98;
const FAKE_INPUT = 2;
const KEY_RELEASE = 3;
const BUTTON_RELEASE = 5;
const BUTTONS = [1, 2, 3, 4, 5];
/** A program may keep the server to itself. */
const MOST_MS = 2_000;

/** Of one display. Whoever asks while it lifts waits for the same end: nothing may be lifted once the next person is there. */
export class KeyLifter {
  readonly #path: string;
  readonly #log: Log;
  #running: Promise<void> | undefined;

  /** `path` is the display's socket. */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Never rejects: the person presses once more what could not be lifted. */
  lift(): Promise<void> {
    this.#running ??= this.#lift().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #lift(): Promise<void> {
    try {
      const count = await letGo(this.#path);
      if (count > 0) this.#log.info("display-keys-lifted", { count });
    } catch (error) {
      this.#log.warn("display-keys-not-lifted", { error });
    }
  }
}

/** `path` is the display's socket. Returns how much was lifted. Throws when X lets nobody in, or doesn't answer, within two seconds. */
async function letGo(path: string): Promise<number> {
  const x = await XConnection.open(path, MOST_MS);
  const timer = setTimeout(() => x.close(), MOST_MS);
  try {
    const test = await x.ask(QUERY_EXTENSION, 0, nameOf("XTEST"));
    const [isThere, opcode] = [test.readUInt8(8) === 1, test.readUInt8(9)];
    if (!isThere) return 0;
    const keys = pressedKeys((await x.ask(QUERY_KEYMAP, 0, Buffer.alloc(0))).subarray(8, 40));
    const mask = (await x.ask(QUERY_POINTER, 0, windowOf(x.root))).readUInt16LE(24);
    const buttons = BUTTONS.filter((button) => (mask & (0x80 << button)) !== 0);
    for (const key of keys) x.send(opcode, FAKE_INPUT, eventOf(KEY_RELEASE, key));
    for (const button of buttons) x.send(opcode, FAKE_INPUT, eventOf(BUTTON_RELEASE, button));
    // Answered after all of them.
    await x.ask(QUERY_POINTER, 0, windowOf(x.root));
    return keys.length + buttons.length;
  } finally {
    clearTimeout(timer);
    x.close();
  }
}

/** Keycodes of those bits that are set, the lowest of the first byte being 0. */
export function pressedKeys(map: Uint8Array): readonly number[] {
  return [...map].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0).map((bit) => at * 8 + bit),
  );
}

function nameOf(name: string): Buffer {
  const body = Buffer.alloc(4 + Math.ceil(name.length / 4) * 4);
  body.writeUInt16LE(name.length, 0);
  body.write(name, 4, "latin1");
  return body;
}

function windowOf(id: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(id, 0);
  return body;
}

function eventOf(type: number, detail: number): Buffer {
  const body = Buffer.alloc(32);
  body.writeUInt8(type, 0);
  body.writeUInt8(detail, 1);
  return body;
}
