/** Hears over TCP what desktops say of their lines, and when: a way that neither their storage nor the database is on. */

import { LineSplitter } from "../../src/lib/lines.ts";

/** A line of a desktop's home that its disk has acknowledged. */
export type HeardBeat = {
  /** The desktop's host name. */
  readonly host: string;
  readonly life: string;
  readonly number: number;
  /** By this process's clock. */
  readonly atMs: number;
};

const MOST_LINE_BYTES = 1_024;

export class BeatsHeard {
  readonly #beats: HeardBeat[] = [];
  readonly #listener: Bun.TCPSocketListener<LineSplitter>;

  constructor(hostname: string, port: number) {
    this.#listener = Bun.listen<LineSplitter>({
      hostname,
      port,
      socket: {
        open: (socket) => {
          socket.data = new LineSplitter(MOST_LINE_BYTES);
        },
        data: (socket, chunk) => {
          for (const line of socket.data.push(chunk)) this.#take(line ?? "");
        },
      },
    });
  }

  /** In the order of their coming. */
  list(host: string): readonly HeardBeat[] {
    return this.#beats.filter((beat) => beat.host === host);
  }

  last(host: string): HeardBeat | undefined {
    return this.#beats.findLast((beat) => beat.host === host);
  }

  stop(): void {
    this.#listener.stop(true);
  }

  #take(line: string): void {
    const [host, life, number] = line.trim().split(" ");
    if (host === undefined || life === undefined || number === undefined) return;
    this.#beats.push({ host, life, number: Number(number), atMs: performance.now() });
  }
}
