/** A QVD client for tests: a TLS socket, what came on it, and waits with a deadline. */

import { waitFor } from "../../src/lib/wait.ts";

/** Less than a test has. */
const ANSWER_MS = 25_000;

export class QvdClient {
  /** Everything received so far, a character a byte. */
  received = "";
  hasEnded = false;
  isClosed = false;
  readonly #socket: Bun.Socket<undefined>;
  #unsent: Uint8Array[] = [];
  #sink: ((chunk: Uint8Array) => void) | undefined;

  private constructor(connect: (client: QvdClient) => Bun.Socket<undefined>) {
    this.#socket = connect(this);
  }

  static async open(port: number, hostname = "127.0.0.1"): Promise<QvdClient> {
    const holder: { client?: QvdClient } = {};
    const socket = await Bun.connect<undefined>({
      hostname,
      port,
      allowHalfOpen: true,
      data: undefined,
      tls: { rejectUnauthorized: false },
      socket: {
        data: (_socket, chunk) => holder.client?.take(chunk),
        drain: () => holder.client?.flush(),
        end: () => {
          if (holder.client !== undefined) holder.client.hasEnded = true;
        },
        close: () => {
          if (holder.client !== undefined) holder.client.isClosed = true;
        },
        error: () => {},
      },
    });
    holder.client = new QvdClient(() => socket);
    return holder.client;
  }

  take(chunk: Uint8Array): void {
    if (this.#sink !== undefined) this.#sink(chunk);
    else this.received += Buffer.from(chunk).toString("latin1");
  }

  /** From now on bytes go there, what was received and not taken first. */
  pipeTo(sink: (chunk: Uint8Array) => void): void {
    if (this.received !== "") sink(Buffer.from(this.received, "latin1"));
    this.received = "";
    this.#sink = sink;
  }

  send(bytes: string | Uint8Array): void {
    this.#unsent.push(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    this.flush();
  }

  /** Writes past the queue of `send`; returns how much was taken. */
  write(bytes: Uint8Array): number {
    return this.#socket.write(bytes);
  }

  flush(): void {
    while (this.#unsent.length > 0) {
      const chunk = this.#unsent[0] ?? new Uint8Array();
      const written = Math.max(0, this.#socket.write(chunk));
      if (written < chunk.length) {
        this.#unsent[0] = chunk.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends sending only. */
  shutdown(): void {
    this.#socket.shutdown();
  }

  close(): void {
    this.#socket.end();
  }

  /** As when the cable is pulled and the kernel gives up: a reset. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Waits until what was received matches, and takes it out; throws at the deadline. */
  async expect(pattern: RegExp, timeoutMs = ANSWER_MS): Promise<string> {
    const match = await waitFor(() => pattern.exec(this.received), { timeoutMs, everyMs: 2 });
    if (match === undefined)
      throw new Error(`nothing matched ${pattern} in ${JSON.stringify(this.received.slice(-600))}`);
    this.received = this.received.slice(match.index + match[0].length);
    return match[0];
  }

  /** The next final answer, progress skipped. */
  async answer(timeoutMs = ANSWER_MS): Promise<{ status: number; head: string; body: string }> {
    const head = await this.expect(/HTTP\/1\.1 (?!102)\d{3} [^\r]+\r\n(?:[^\r\n]+\r\n)*\r\n/, timeoutMs);
    const length = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0);
    const body = length === 0 ? "" : await this.expect(new RegExp(`^[\\s\\S]{${length}}`), timeoutMs);
    return { status: Number(head.slice(9, 12)), head, body };
  }

  async expectEnd(timeoutMs = ANSWER_MS): Promise<void> {
    const ended = await waitFor(() => this.hasEnded || this.isClosed, { timeoutMs, everyMs: 2 });
    if (!ended) throw new Error("the connection was not closed");
  }
}
