/**
 * Gives the memory of a chunk back at once, when all of it has been sent. The collector would do so some hundred chunks
 * later: until then each read touches memory that no cache holds, and a busy worker holds 60 MB more.
 */

/** Smaller ones lie in the collector's own heap, and cost less left there. */
const WORTH_BYTES = 32 * 1024;

/** Whoever calls is the only one that has `chunk`, and any view of its memory. It is empty afterwards, or as it was. */
export function giveBack(chunk: Uint8Array): void {
  if (chunk.length < WORTH_BYTES) return;
  const { buffer } = chunk;
  // One that ends earlier is a piece of something that somebody else may still read.
  if (buffer instanceof ArrayBuffer && chunk.byteOffset + chunk.length === buffer.byteLength)
    buffer.transfer(0);
}
