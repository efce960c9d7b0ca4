/**
 * The least window manager that there can be: it lets windows appear where they ask to. nxagent asks whether some
 * client manages the windows; where none does, it takes three quarters of the screen and no other size. X11 protocol,
 * version 11: sections 8 (connection setup), 9 (requests) and 11 (events), little-endian.
 */

import { connect, type Socket } from "node:net";
import { AppError } from "../lib/errors.ts";

export type PlainManager = { readonly stop: () => void };

export type ManagedDisplay = {
  readonly number: string;
  /** The display's MIT-MAGIC-COOKIE-1. */
  readonly cookie: Uint8Array;
};

const SETUP_MS = 5_000;
const EVENT_BYTES = 32;
const CHANGE_ATTRIBUTES = 2;
const MAP_WINDOW = 8;
const CONFIGURE_WINDOW = 12;
const GET_INPUT_FOCUS = 43;
const EVENT_MASK = 1 << 11;
const SUBSTRUCTURE_REDIRECT = 1 << 20;
const ERROR = 0;
const REPLY = 1;
const MAP_REQUEST = 20;
const CONFIGURE_REQUEST = 23;
/** x, y, width, height and width of the border: what a window may ask for. */
const PLACE_FIELDS = 0b11111;

/** Manages the display until it is stopped or the display goes. From when this resolves no window is missed. */
export async function startPlainManager(display: ManagedDisplay): Promise<PlainManager> {
  const socket = connect(`/tmp/.X11-unix/X${display.number}`);
  const ready = Promise.withResolvers<void>();
  const timer = setTimeout(() => ready.reject(failed("it doesn't answer")), SETUP_MS);
  let received = Buffer.alloc(0);
  let root: number | undefined;
  socket.on("connect", () => socket.write(setupRequest(display.cookie)));
  socket.on("error", (error) => ready.reject(failed(error.message)));
  socket.on("close", () => ready.reject(failed("it closed the connection")));
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (root === undefined) {
      const answer = parseSetup(received);
      if (answer === undefined) return;
      if (answer.root === undefined) return ready.reject(failed("it lets nobody in"));
      root = answer.root;
      received = received.subarray(answer.size);
      socket.write(request(CHANGE_ATTRIBUTES, [answer.root, EVENT_MASK, SUBSTRUCTURE_REDIRECT]));
      // Requests are answered in their order, and the one before has no answer but an error.
      socket.write(request(GET_INPUT_FOCUS, []));
    }
    for (; received.length >= EVENT_BYTES; received = received.subarray(EVENT_BYTES)) {
      const kind = received.readUInt8(0);
      if (kind === REPLY) ready.resolve();
      else if (kind === ERROR) ready.reject(failed("another program manages it"));
      else grant(socket, received);
    }
  });
  try {
    await ready.promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { stop: () => socket.destroy() };
}

function grant(socket: Socket, event: Buffer): void {
  // The highest bit says that another client sent it.
  const kind = event.readUInt8(0) & 0x7f;
  const window = event.readUInt32LE(8);
  if (kind === MAP_REQUEST) socket.write(request(MAP_WINDOW, [window]));
  if (kind !== CONFIGURE_REQUEST) return;
  const mask = event.readUInt16LE(26) & PLACE_FIELDS;
  const asked = [16, 18, 20, 22, 24].map((at) => event.readInt16LE(at) & 0xffff);
  socket.write(
    request(CONFIGURE_WINDOW, [window, mask, ...asked.filter((_value, bit) => mask & (1 << bit))]),
  );
}

/** A request whose fields are all words of four bytes. */
function request(opcode: number, words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + words.length * 4);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt16LE(1 + words.length, 2);
  words.forEach((word, index) => {
    bytes.writeUInt32LE(word, 4 + index * 4);
  });
  return bytes;
}

function setupRequest(cookie: Uint8Array): Buffer {
  const name = Buffer.from("MIT-MAGIC-COOKIE-1");
  const head = Buffer.alloc(12);
  head.write("l", "latin1");
  head.writeUInt16LE(11, 2);
  head.writeUInt16LE(name.length, 6);
  head.writeUInt16LE(cookie.length, 8);
  const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([head, padded(name), padded(cookie)]);
}

/** Undefined until it is whole; without a root when the display refuses. */
function parseSetup(bytes: Buffer): { readonly size: number; readonly root: number | undefined } | undefined {
  if (bytes.length < 8) return undefined;
  const size = 8 + bytes.readUInt16LE(6) * 4;
  if (bytes.length < size) return undefined;
  if (bytes.readUInt8(0) !== 1 || size < 40) return { size, root: undefined };
  const vendor = Math.ceil(bytes.readUInt16LE(24) / 4) * 4;
  const formats = bytes.readUInt8(29) * 8;
  const at = 40 + vendor + formats;
  return { size, root: at + 4 <= size ? bytes.readUInt32LE(at) : undefined };
}

function failed(why: string): AppError {
  return new AppError("driver-failed", `managing the desktop's window failed: its display says ${why}`);
}
