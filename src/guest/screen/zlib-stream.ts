/** One of the lasting streams that a viewer unpacks: what came before is known to it, and must come in order. */

import { constants, createDeflate, type Deflate } from "node:zlib";

export class ZlibStream {
  readonly #deflate: Deflate;
  #packed: Buffer[] = [];
  #failure: Error | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(level: number) {
    this.#deflate = createDeflate({ level });
    this.#deflate.on("data", (chunk: Buffer) => this.#packed.push(chunk));
    this.#deflate.on("error", (error) => {
      this.#failure = error;
    });
  }

  /** All that there is of `bytes`, so that it can be unpacked at once. */
  pack(bytes: Uint8Array): Promise<Buffer> {
    const packed = this.#last.then(() => this.#pack(bytes));
    this.#last = packed.catch(() => {
      // Whoever asked hears of it.
    });
    return packed;
  }

  close(): void {
    this.#deflate.destroy();
  }

  async #pack(bytes: Uint8Array): Promise<Buffer> {
    this.#packed = [];
    this.#deflate.write(bytes);
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    if (this.#failure !== undefined) throw this.#failure;
    return Buffer.concat(this.#packed);
  }
}
