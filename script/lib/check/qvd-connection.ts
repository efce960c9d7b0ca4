/**
 * A QVD client's connection as the original Perl client speaks it: one TLS connection for the list and the
 * request, progress by 102, and after the 101 the bytes of the session. Shares no code with the broker.
 */

import { readFileSync } from "node:fs";
import { connect, type TLSSocket } from "node:tls";

export type Target = {
  readonly port: number;
  readonly caCertificate: string;
  readonly login: string;
  readonly password: string;
};

export type Answer = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
};

export type Asked = {
  readonly final: Answer;
  /** Texts of the 102 answers. */
  readonly progress: readonly string[];
};

const ANSWER_MS = 120_000;

export class QvdConnection {
  readonly #socket: TLSSocket;
  readonly #authorization: string;
  #buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: () => void = () => {};

  private constructor(socket: TLSSocket, target: Target) {
    this.#socket = socket;
    this.#authorization = `Authorization: Basic ${btoa(`${target.login}:${target.password}`)}`;
    socket.on("data", (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake();
    });
    for (const event of ["end", "close", "error"])
      socket.on(event, () => {
        this.#hasEnded = true;
        this.#wake();
      });
  }

  /** Verifies the broker's certificate as a careful client does. */
  static async open(target: Target): Promise<QvdConnection> {
    const ca = readFileSync(target.caCertificate, "utf8");
    const socket = connect({ host: "localhost", port: target.port, servername: "localhost", ca });
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return new QvdConnection(socket, target);
  }

  async list(): Promise<Answer> {
    this.#send("GET /qvd/list_of_vm? HTTP/1.1", ["Accept: application/json"]);
    return await this.#readAnswer();
  }

  async connect(vmId: number, geometry: string): Promise<Asked> {
    const query = `id=${vmId}&qvd.client.os=linux&qvd.client.link=adsl&qvd.client.keyboard=pc105%2Fus&qvd.client.geometry=${geometry}&qvd.client.fullscreen=&qvd.client.printing.enabled=0`;
    this.#send(`GET /qvd/connect_to_vm?${query} HTTP/1.1`, ["Connection: Upgrade", "Upgrade: QVD/1.0"]);
    const progress: string[] = [];
    for (;;) {
      const answer = await this.#readAnswer();
      if (answer.status !== 102) return { final: answer, progress };
      progress.push(answer.headers.get("x-qvd-vm-info") ?? "");
    }
  }

  /** After the 101: the raw connection, with what has already come on it. */
  take(): { readonly socket: TLSSocket; readonly early: Buffer } {
    this.#socket.removeAllListeners("data");
    return { socket: this.#socket, early: this.#buffer };
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(line: string, headers: readonly string[]): void {
    const agent = "User-Agent: QVD::HTTPC/0.01 (linux)";
    this.#socket.write([line, this.#authorization, ...headers, agent, "", ""].join("\r\n"));
  }

  async #readAnswer(): Promise<Answer> {
    const end = performance.now() + ANSWER_MS;
    for (;;) {
      const taken = takeAnswer(this.#buffer);
      if (taken !== undefined) {
        this.#buffer = this.#buffer.subarray(taken.size);
        return taken.answer;
      }
      if (this.#hasEnded) throw new Error("the broker closed the connection without an answer");
      if (performance.now() > end) throw new Error(`the broker did not answer in ${ANSWER_MS / 1000} s`);
      await this.#moreBytes(end - performance.now());
    }
  }

  #moreBytes(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function takeAnswer(buffer: Buffer): { readonly answer: Answer; readonly size: number } | undefined {
  const end = buffer.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [first = "", ...lines] = buffer.subarray(0, end).toString("latin1").split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const size = end + 4 + Number(headers.get("content-length") ?? 0);
  if (buffer.length < size) return undefined;
  const body = buffer.subarray(end + 4, size).toString("utf8");
  return { answer: { status: Number(first.split(" ")[1]), headers, body }, size };
}
