/**
 * What the screen's server says to a viewer: all but pictures goes on to the viewer (cursor, size of the screen, locks,
 * name, bell); pictures are our own. RFB 3.8 without encryption, of a server that was asked for pictures as they are.
 */

import { AppError } from "../../lib/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import { ENCODING, PSEUDO } from "./encodings.ts";
import type { PixelFormat } from "./pixel-format.ts";
import { parsePixelFormat } from "./pixel-format.ts";
import { headerOf } from "./tight.ts";

export type ServerEvents = {
  /** To the viewer, unchanged. */
  readonly pass: (bytes: Buffer) => void;
  /** What a viewer that says nothing of it takes; comes before the size. */
  readonly onFormat: (format: PixelFormat) => void;
  /** Once the viewer has been told; rejected promises of `readServer` say why there is no more. */
  readonly onSize: (size: { readonly width: number; readonly height: number }) => void;
  /** An update is over, so the next may be asked for. */
  readonly onUpdate: () => void;
  /** Of the viewer's pixels as cursors have them. */
  readonly bytesPerPixel: () => number;
};

const VERSION = "RFB 003.008\n";
const NO_SECURITY = 1;
const MESSAGE = { update: 0, bell: 2, cutText: 3, xvp: 250 } as const;

/** Goes on until something comes that can't be. */
export async function readServer(stream: ByteReader, events: ServerEvents): Promise<never> {
  await greet(stream, events);
  for (;;) {
    const type = await stream.take(1);
    switch (type.readUInt8(0)) {
      case MESSAGE.update:
        await readUpdate(stream, events);
        events.onUpdate();
        break;
      case MESSAGE.bell:
        events.pass(type);
        break;
      case MESSAGE.cutText: {
        const head = await stream.take(7);
        // Negative: the extended clipboard.
        events.pass(Buffer.concat([type, head, await stream.take(Math.abs(head.readInt32BE(3)))]));
        break;
      }
      case MESSAGE.xvp:
        events.pass(Buffer.concat([type, await stream.take(3)]));
        break;
      default:
        throw strange(`message ${type.readUInt8(0)}`);
    }
  }
}

async function greet(stream: ByteReader, events: ServerEvents): Promise<void> {
  const version = await stream.take(12);
  if (version.toString("latin1") !== VERSION) throw strange("its version");
  events.pass(version);
  const count = await stream.take(1);
  const kinds = await stream.take(count.readUInt8(0));
  if (!kinds.includes(NO_SECURITY)) throw strange("its kinds of security");
  events.pass(Buffer.concat([count, kinds]));
  const result = await stream.take(4);
  if (result.readUInt32BE(0) !== 0) throw strange("that it lets nobody in");
  events.pass(result);
  const init = await stream.take(24);
  const name = await stream.take(init.readUInt32BE(20));
  events.onFormat(parsePixelFormat(init.subarray(4, 20)));
  events.pass(Buffer.concat([init, name]));
  events.onSize({ width: init.readUInt16BE(0), height: init.readUInt16BE(2) });
}

async function readUpdate(stream: ByteReader, events: ServerEvents): Promise<void> {
  const head = await stream.take(3);
  for (let left = head.readUInt16BE(1); left > 0; left--) await readRectangle(stream, events);
}

async function readRectangle(stream: ByteReader, events: ServerEvents): Promise<void> {
  const head = await stream.take(12);
  const place = {
    x: head.readUInt16BE(0),
    y: head.readUInt16BE(2),
    width: head.readUInt16BE(4),
    height: head.readUInt16BE(6),
  };
  const pixels = place.width * place.height;
  const encoding = head.readInt32BE(8);
  const pass = (body: Buffer) => events.pass(Buffer.concat([ONE, headerOf(place, encoding), body]));
  switch (encoding) {
    case ENCODING.raw:
      return await stream.skip(pixels * events.bytesPerPixel());
    case PSEUDO.cursor: {
      const mask = ((place.width + 7) >> 3) * place.height;
      return pass(await stream.take(pixels * events.bytesPerPixel() + mask));
    }
    case PSEUDO.vmwareCursor: {
      const kind = await stream.take(2);
      // Classic ones have two masks, the others are pictures.
      return pass(Buffer.concat([kind, await stream.take(pixels * (kind.readUInt8(0) === 0 ? 8 : 4))]));
    }
    case PSEUDO.desktopSize:
      pass(Buffer.alloc(0));
      return events.onSize(place);
    case PSEUDO.extendedDesktopSize: {
      const count = await stream.take(4);
      pass(Buffer.concat([count, await stream.take(count.readUInt8(0) * 16)]));
      // One that was refused has the size that was asked for.
      return place.y === 0 ? events.onSize(place) : undefined;
    }
    case PSEUDO.qemuKey:
      return pass(Buffer.alloc(0));
    case PSEUDO.ledState:
      return pass(await stream.take(1));
    case PSEUDO.desktopName: {
      const length = await stream.take(4);
      return pass(Buffer.concat([length, await stream.take(length.readUInt32BE(0))]));
    }
    default:
      throw strange(`a rectangle encoded as ${encoding}`);
  }
}

/** The head of an update of one rectangle. */
const ONE = Buffer.of(MESSAGE.update, 0, 0, 1);

function strange(what: string): AppError {
  return new AppError("unavailable", `what serves the screen said something that can't be read: ${what}`);
}
