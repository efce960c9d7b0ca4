/**
 * What a viewer says on its way to the screen's server: all passes but what concerns pictures, which is for us. RFB 3.8
 * without encryption.
 */

import { AppError } from "../../lib/errors.ts";
import {
  CLIENT_MESSAGE,
  GREETING,
  GREETING_BYTES,
  readMessageLength,
} from "../../wire/display/client-message.ts";
import type { ByteReader } from "./byte-reader.ts";
import { formatEncodings, parseEncodings, planServerEncodings } from "./encodings.ts";
import { type PixelFormat, parsePixelFormat } from "./pixel-format.ts";
import type { Rectangle } from "./rectangle.ts";

export type ViewerEvents = {
  /** To the server. */
  readonly pass: (bytes: Buffer) => void;
  readonly onEncodings: (encodings: readonly number[]) => void;
  readonly onFormat: (format: PixelFormat) => void;
  /** `isFresh`: it wants all of it, whatever it has. */
  readonly onRequest: (place: Rectangle, isFresh: boolean) => void;
  readonly onContinuous: (isOn: boolean) => void;
  readonly onFence: (flags: number, payload: Buffer) => void;
};

const VERSION_BYTES = 12;
/** What a head may be at most before its length is known. */
const MOST_HEAD_BYTES = 9;

/** Goes on until something comes that can't be. */
export async function readViewer(stream: ByteReader, events: ViewerEvents): Promise<never> {
  // The server answers each part before the next comes.
  for (let at = 0; at < GREETING_BYTES; ) {
    const part = await stream.take(at === 0 ? VERSION_BYTES : 1);
    const due = GREETING.subarray(at, at + part.length);
    if (!part.subarray(0, due.length).equals(due)) throw strange("its greeting");
    events.pass(part);
    at += part.length;
  }
  for (;;) {
    const message = await takeMessage(stream);
    switch (message.readUInt8(0)) {
      case CLIENT_MESSAGE.setEncodings: {
        const encodings = parseEncodings(message);
        events.onEncodings(encodings);
        events.pass(formatEncodings(planServerEncodings(encodings)));
        break;
      }
      case CLIENT_MESSAGE.setPixelFormat:
        events.onFormat(parsePixelFormat(message.subarray(4, 20)));
        // Cursors come in it.
        events.pass(message);
        break;
      case CLIENT_MESSAGE.updateRequest:
        events.onRequest(readPlace(message, 2), message.readUInt8(1) === 0);
        break;
      case CLIENT_MESSAGE.continuousUpdates:
        events.onContinuous(message.readUInt8(1) !== 0);
        break;
      case CLIENT_MESSAGE.fence:
        events.onFence(message.readUInt32BE(4), message.subarray(9));
        break;
      default:
        events.pass(message);
    }
  }
}

async function takeMessage(stream: ByteReader): Promise<Buffer> {
  let head = await stream.take(1);
  for (;;) {
    const length = readMessageLength(head);
    if (length === "unknown" || head.length > MOST_HEAD_BYTES) throw strange(`message ${head.readUInt8(0)}`);
    if (typeof length === "number")
      return length > head.length
        ? Buffer.concat([head, await stream.take(length - head.length)])
        : Buffer.from(head);
    head = Buffer.concat([head, await stream.take(1)]);
  }
}

function readPlace(message: Buffer, at: number): Rectangle {
  return {
    x: message.readUInt16BE(at),
    y: message.readUInt16BE(at + 2),
    width: message.readUInt16BE(at + 4),
    height: message.readUInt16BE(at + 6),
  };
}

function strange(what: string): AppError {
  return new AppError("protocol", `a viewer said something that can't be read: ${what}`);
}
