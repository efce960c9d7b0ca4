/**
 * One TLS connection to a broker, as QVD's clients use it: questions and answers, and after the 101 the session's
 * bytes. Whether the certificate is believed is the caller's to say, before the first byte is sent.
 */

import { isIP } from "node:net";
import { connect, getCACertificates, type TLSSocket } from "node:tls";
import { AppError, describeError } from "../lib/errors.ts";
import { AnswerReader, type BrokerAnswer } from "./answer-reader.ts";
import { explainConnectFault, explainDistrust } from "./connect-faults.ts";
import { plainText } from "./plain-text.ts";
import type { ShownCertificate } from "./trust-broker.ts";

export type Place = { readonly host: string; readonly port: number };

export type OpenOptions = {
  readonly place: Place;
  /** PEM of authorities to believe besides those of the system. */
  readonly authorities?: readonly string[] | undefined;
  /** Throws when the certificate isn't to be believed. */
  readonly requireTrust: (shown: ShownCertificate) => Promise<void>;
  readonly signal: AbortSignal;
};

/** Value of `Authorization`. */
export type Authorization = string;

const CONNECT_MS = 20_000;
/** A desktop may wait in a queue of starts. */
const ANSWER_MS = 600_000;

export class BrokerConnection {
  readonly #socket: TLSSocket;
  readonly #reader = new AnswerReader();
  readonly #signal: AbortSignal;
  #fault: string | undefined;
  #wake: () => void = () => {};

  private constructor(socket: TLSSocket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    socket.on("data", (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#wake();
    });
    socket.on("error", (error) => this.#end(describeError(error)));
    socket.on("close", () => this.#end("the broker closed the connection"));
  }

  /** Throws `unavailable` when nobody can be reached there. The connection is the caller's to close. */
  static async open(options: OpenOptions): Promise<BrokerConnection> {
    const { signal } = options;
    // A broker waits for strangers for a minute; somebody who compares fingerprints may take longer.
    let socket = await openTrusted(options);
    if (socket.destroyed) socket = await openTrusted(options);
    if (socket.destroyed) throw new AppError("unavailable", "the broker closed the connection at once");
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    return new BrokerConnection(socket, signal);
  }

  /** The final answer; progress goes to `onProgress`. Throws `unavailable` when the connection ends before. */
  async ask(
    path: string,
    headers: Readonly<Record<string, string>>,
    onProgress: (text: string) => void = () => {},
  ): Promise<BrokerAnswer> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    this.#socket.write([`GET ${path} HTTP/1.1`, ...lines, "User-Agent: qvd-connect", "", ""].join("\r\n"));
    for (;;) {
      const answer = await this.#readAnswer();
      if (answer.status !== 102) return answer;
      onProgress(plainText(answer.headers.get("x-qvd-vm-info") ?? ""));
    }
  }

  /** After the 101: the connection, which is the caller's now, and what has already come on it. */
  take(): { readonly socket: TLSSocket; readonly early: Uint8Array } {
    this.#socket.removeAllListeners();
    return { socket: this.#socket, early: this.#reader.takeRest() };
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(fault: string): void {
    this.#fault ??= fault;
    this.#wake();
  }

  async #readAnswer(): Promise<BrokerAnswer> {
    const untilMs = performance.now() + ANSWER_MS;
    for (;;) {
      const answer = this.#reader.next();
      if (answer !== undefined) return answer;
      this.#signal.throwIfAborted();
      if (this.#fault !== undefined) throw new AppError("unavailable", `no answer came: ${this.#fault}`);
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new AppError("timeout", `the broker did not answer in ${ANSWER_MS / 1000} s`);
      await this.#more(leftMs);
    }
  }

  #more(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener("abort", done);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#signal.addEventListener("abort", done, { once: true });
      this.#wake = done;
    });
  }
}

/** It may have been closed meanwhile. */
async function openTrusted({ place, authorities, requireTrust, signal }: OpenOptions): Promise<TLSSocket> {
  const socket = connect({
    ...place,
    ...(isIP(place.host) === 0 ? { servername: place.host } : {}),
    ca: believed(authorities),
    // Decided below, with the pins: the library would only say no.
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
  });
  try {
    await secured(socket, place, signal);
    // Nothing comes before a question, but its end, which is seen by who reads.
    socket.resume();
    await requireTrust(shownBy(socket, place));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The runtime believes the public ones alone by itself, and none of them where others are named. */
function believed(more: readonly string[] = []): string[] {
  return [...getCACertificates("bundled"), ...getCACertificates("system"), ...more];
}

async function secured(socket: TLSSocket, place: Place, signal: AbortSignal): Promise<void> {
  const there = `${place.host}:${place.port}`;
  const ready = Promise.withResolvers<void>();
  const fail = (why: string) =>
    ready.reject(
      new AppError("unavailable", `connecting to ${there} failed: ${explainConnectFault(why, place)}`),
    );
  const onAbort = () => ready.reject(signal.reason);
  const timer = setTimeout(() => fail(`nobody answered in ${CONNECT_MS / 1000} s`), CONNECT_MS);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.once("secureConnect", () => ready.resolve());
  socket.once("error", (error) => fail(describeError(error)));
  socket.once("close", () => fail("the connection was closed"));
  try {
    await ready.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    socket.removeAllListeners();
    // Until the connection has its owner an error is nobody's.
    socket.on("error", () => {});
  }
}

function shownBy(socket: TLSSocket, { host }: Place): ShownCertificate {
  const certificate = socket.getPeerCertificate();
  const fault = socket.authorized ? undefined : String(socket.authorizationError);
  return {
    fingerprint: certificate.fingerprint256,
    distrust: fault === undefined ? undefined : explainDistrust(fault, host),
  };
}
