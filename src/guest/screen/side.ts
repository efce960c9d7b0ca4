/** What a connection to the painter of the screen says first: which of a viewer's two it is. */

export type SideName = "viewer" | "server";
export type Side = { readonly name: SideName; readonly pair: number; readonly bytes: number };

const LINE = /^(viewer|server) ([0-9]{1,9})\n/;
const MOST_BYTES = 20;

export function formatSide(name: SideName, pair: number): string {
  return `${name} ${pair}\n`;
}

/** `bytes` is the line's length; undefined when it hasn't come whole. Throws on anything else. */
export function parseSide(said: Buffer): Side | undefined {
  const found = LINE.exec(said.subarray(0, MOST_BYTES).toString("latin1"));
  if (found !== null)
    return {
      name: found[1] === "viewer" ? "viewer" : "server",
      pair: Number(found[2]),
      bytes: found[0].length,
    };
  if (said.length >= MOST_BYTES) throw new Error("this is neither viewer nor server");
  return undefined;
}
