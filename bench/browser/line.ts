/**
 * The line between browser and server: a relay that counts bytes, and holds each for a while where a delay is asked for.
 * A program of its own, since peers live in a network of their own:
 *
 *     bun bench/browser/line.ts LISTEN TARGET DELAY_MS    each a port of loopback, or a socket's path
 *
 * Writes `listening`, and what it has counted since then with each line that it reads.
 */

import { connect, createServer, type Socket } from "node:net";

export type Counted = { readonly toBrowser: number; readonly toServer: number };

/** A port of loopback, or the path of a socket, which leads out of a network. */
export type End = number | string;

/** `delayMs` is each way. */
export function openLine(listen: End, target: End, delayMs: number): Promise<() => Counted> {
  let [toBrowser, toServer] = [0, 0];
  const server = createServer({ noDelay: true }, (browser) => {
    const peer = connect({ ...placeOf(target), noDelay: true });
    carry(peer, browser, delayMs, (bytes) => {
      toBrowser += bytes;
    });
    carry(browser, peer, delayMs, (bytes) => {
      toServer += bytes;
    });
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(placeOf(listen), () => resolve(() => ({ toBrowser, toServer })));
  });
}

function placeOf(end: End) {
  return typeof end === "number" ? { host: "127.0.0.1", port: end } : { path: end };
}

function parseEnd(word = ""): End {
  return /^\d+$/.test(word) ? Number(word) : word;
}

/** What the line itself can hold; the sender waits when it is full, as for a window of TCP. */
const MOST_HELD_BYTES = 4 * 1024 * 1024;

function carry(from: Socket, to: Socket, delayMs: number, count: (bytes: number) => void): void {
  const later =
    delayMs > 0 ? (work: () => void) => void setTimeout(work, delayMs) : (work: () => void) => work();
  let held = 0;
  from.on("data", (chunk: Buffer) => {
    count(chunk.length);
    held += chunk.length;
    if (held > MOST_HELD_BYTES) from.pause();
    later(() => {
      const isTaken = to.write(chunk);
      const letGo = () => {
        held -= chunk.length;
        if (held <= MOST_HELD_BYTES) from.resume();
      };
      if (isTaken) letGo();
      else to.once("drain", letGo);
    });
  });
  from.on("end", () => later(() => to.end()));
  from.on("error", () => to.destroy());
}

if (import.meta.main) {
  const [listen, target, delayMs] = process.argv.slice(2);
  const read = await openLine(parseEnd(listen), parseEnd(target), Number(delayMs));
  process.stdout.write("listening\n");
  process.stdin.on("data", () => process.stdout.write(`${JSON.stringify(read())}\n`));
  process.stdin.on("end", () => process.exit(0));
}
