/**
 * One of the lasting streams that a viewer unpacks: what came before is known to it, and must come in order. What is soon
 * packed is packed at once, where Bun lets us: to hand it to another thread and back costs more.
 */

import { constants, createDeflate, type Deflate } from "node:zlib";

/** More would keep other viewers waiting: 0.3 ms at worst. */
const MOST_AT_ONCE_BYTES = 65_536;
/** What Z_SYNC_FLUSH adds, and stored blocks, to what can't be packed. */
const MOST_MORE_BYTES = 1_024;

/** Of Bun's, and Node's, inside: all of `input` into `output`; what is left of both is in the stream's `_writeState`. */
type Handle = {
  writeSync(
    flush: number,
    ...args: [input: Uint8Array, at: number, length: number, output: Uint8Array, at: number, length: number]
  ): void;
};

export class ZlibStream {
  readonly #deflate: Deflate;
  readonly #inside: { readonly handle: Handle; readonly left: Uint32Array } | undefined;
  readonly #room = Buffer.allocUnsafeSlow(MOST_AT_ONCE_BYTES + MOST_MORE_BYTES);
  #packed: Buffer[] = [];
  #failure: Error | undefined;
  #waiting = 0;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(level: number) {
    this.#deflate = createDeflate({ level });
    this.#deflate.on("data", (chunk: Buffer) => this.#packed.push(chunk));
    this.#deflate.on("error", (error) => {
      this.#failure = error;
    });
    this.#inside = insideOf(this.#deflate);
  }

  /** All that there is of `bytes`, so that it can be unpacked at once. `bytes` may be written to when it returns. */
  pack(bytes: Uint8Array): Buffer | Promise<Buffer> {
    if (this.#isClosed) throw new Error("a picture was to be packed for a viewer that has gone");
    if (this.#waiting === 0 && this.#inside !== undefined && bytes.length <= MOST_AT_ONCE_BYTES)
      return this.#packAtOnce(bytes, this.#inside);
    const own = Buffer.from(bytes);
    this.#waiting++;
    const packed = this.#last.then(() => this.#pack(own)).finally(() => this.#waiting--);
    this.#last = packed.catch(() => {
      // Whoever asked hears of it.
    });
    return packed;
  }

  close(): void {
    this.#isClosed = true;
    this.#deflate.destroy();
  }

  #packAtOnce(
    bytes: Uint8Array,
    { handle, left }: { readonly handle: Handle; readonly left: Uint32Array },
  ): Buffer {
    const room = this.#room;
    handle.writeSync(constants.Z_SYNC_FLUSH, bytes, 0, bytes.length, room, 0, room.length);
    if (this.#failure !== undefined) throw this.#failure;
    const [roomLeft = 0, bytesLeft = 1] = left;
    if (roomLeft === 0 || bytesLeft > 0) throw new Error("a picture took more room packed than not");
    return Buffer.from(room.subarray(0, room.length - roomLeft));
  }

  async #pack(bytes: Uint8Array): Promise<Buffer> {
    this.#packed = [];
    this.#deflate.write(bytes);
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    if (this.#failure !== undefined) throw this.#failure;
    return Buffer.concat(this.#packed);
  }
}

/** Undefined where it isn't as known. */
function insideOf(deflate: Deflate): { readonly handle: Handle; readonly left: Uint32Array } | undefined {
  const handle: unknown = Reflect.get(deflate, "_handle");
  const left: unknown = Reflect.get(deflate, "_writeState");
  return isHandle(handle) && left instanceof Uint32Array ? { handle, left } : undefined;
}

function isHandle(handle: unknown): handle is Handle {
  return (
    typeof handle === "object" && handle !== null && typeof Reflect.get(handle, "writeSync") === "function"
  );
}
