/**
 * The first moments of a balancer's connection: reads its PROXY header, which has to come before anything else.
 * One that sends none or a broken one is refused, since its client's address would be unknown.
 */

import type { Log } from "../lib/log.ts";
import { parseProxyHeader } from "../wire/proxy/proxy-header.ts";
import type { RawSocket } from "./proxy-arrival.ts";

export type ProxyFrontOptions = {
  /** For the whole header. */
  readonly timeoutMs: number;
  readonly log: Log;
  /** It is gone without having become a client's. */
  readonly onGone: (front: ProxyFront) => void;
  /** `rest` is what came behind the header. */
  readonly onHeader: (clientAddress: string, rest: Uint8Array) => void;
};

export class ProxyFront {
  readonly #raw: RawSocket;
  readonly #balancer: string;
  readonly #options: ProxyFrontOptions;
  readonly #deadlineMs: number;
  #received: Uint8Array = new Uint8Array();
  #isOver = false;

  constructor(raw: RawSocket, balancer: string, options: ProxyFrontOptions) {
    this.#raw = raw;
    this.#balancer = balancer;
    this.#options = options;
    this.#deadlineMs = performance.now() + options.timeoutMs;
  }

  expire(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) this.#refuse("no PROXY header came in time");
  }

  /** Its header is under way, and behind it a client whom nobody has told to go elsewhere; it has its deadline. */
  drain(): void {}

  onData(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const parsed = parseProxyHeader(this.#received);
    if (parsed.kind === "more") return;
    if (parsed.kind === "fault") {
      this.#refuse(parsed.text);
      return;
    }
    this.#isOver = true;
    this.#options.onHeader(parsed.clientAddress ?? this.#balancer, this.#received.subarray(parsed.length));
    this.#received = new Uint8Array();
  }

  /** A balancer that only looks whether the port answers goes without a word. */
  onEnd(): void {
    if (!this.#isOver) this.#raw.terminate();
  }

  onClose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onGone(this);
  }

  #refuse(reason: string): void {
    this.#options.log.warn("proxy-header-refused", { balancer: this.#balancer, reason });
    this.#raw.terminate();
  }
}
