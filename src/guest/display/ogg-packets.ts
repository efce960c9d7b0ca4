/**
 * Takes the packets out of an Ogg stream (RFC 3533) of one logical stream, as `opusenc` writes it: pages of a header,
 * a table of segments, and their bytes; a segment of 255 bytes goes on in the next.
 */

const CAPTURE = 0x4f676753;
const HEAD_BYTES = 27;
const FULL_SEGMENT = 255;

export class OggPackets {
  #rest: Uint8Array = new Uint8Array(0);
  #packet: Uint8Array[] = [];

  /** The packets that are whole now. Throws where no page begins: the stream is none. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const packets: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      const page = readPage(bytes.subarray(at));
      if (page === undefined) break;
      at += this.#takePage(bytes, at + page.bodyAt, page.segments, packets) - at;
    }
    this.#rest = bytes.slice(at);
    return packets;
  }

  /** Where the page ends. */
  #takePage(bytes: Uint8Array, from: number, segments: Uint8Array, packets: Uint8Array[]): number {
    let at = from;
    for (const length of segments) {
      this.#packet.push(bytes.slice(at, at + length));
      at += length;
      if (length === FULL_SEGMENT) continue;
      packets.push(Buffer.concat(this.#packet));
      this.#packet = [];
    }
    return at;
  }
}

/** Undefined while the page isn't all there. */
function readPage(bytes: Uint8Array): { readonly bodyAt: number; readonly segments: Uint8Array } | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== CAPTURE) throw new Error("no page of Ogg begins here");
  const bodyAt = HEAD_BYTES + view.getUint8(HEAD_BYTES - 1);
  const segments = bytes.subarray(HEAD_BYTES, bodyAt);
  const bodyBytes = segments.reduce((sum, length) => sum + length, 0);
  return bytes.length >= bodyAt + bodyBytes ? { bodyAt, segments } : undefined;
}
