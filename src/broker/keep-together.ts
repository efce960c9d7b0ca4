/** A smaller one takes on what comes next. */
const SMALL_BYTES = 4 * 1024;

/**
 * Puts `chunk`, which is `waiting`'s from now on, behind what waits there. Small ones become one: a chunk alone takes a hundred bytes
 * of memory whatever its size, and a stranger chooses the sizes.
 */
export function keepTogether(waiting: Uint8Array[], chunk: Uint8Array): void {
  const last = waiting.at(-1);
  if (last === undefined || last.length + chunk.length > SMALL_BYTES) waiting.push(chunk);
  else waiting[waiting.length - 1] = Buffer.concat([last, chunk]);
}
