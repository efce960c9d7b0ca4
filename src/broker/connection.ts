/**
 * One client's TLS connection, until it becomes a pipe or ends.
 *
 *     handshake ──► reading ──► answering ──► reading …        a request, its answer, the next request
 *         │            │            ├───────► lingering        a last answer: read on a little, then close
 *         │            │            └───────► handed-over      the socket belongs to a pipe now
 *         └────────────┴──────────────► closed
 *
 * Reads all the time, also while a desktop starts: a paused socket would not notice that the client left.
 * What comes meanwhile is kept up to a bound; a client that sends more is dropped.
 */

import { describeError, isAppError } from "../lib/errors.ts";
import { type Answer, formatAnswer, formatProgress } from "../wire/client/answer.ts";
import { HeadParser } from "../wire/client/head-parser.ts";
import { HEAD_LIMITS } from "../wire/client/limits.ts";
import type { RequestHead } from "../wire/client/request-head.ts";
import { ConnectionAuthenticator, type PasswordVerifier } from "./authenticate.ts";
import { findEndpoint } from "./endpoints/find-endpoint.ts";
import { FirstLine } from "./gateway/first-line.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { keepTogether } from "./keep-together.ts";
import { notAvailable } from "./not-available.ts";
import { acceptRelay, type Relay } from "./relay/accept-relay.ts";
import { readChannelKey } from "./relay/channel-proof.ts";
import type { Relays } from "./relay/relays.ts";
import type { EndpointDeps, Outcome, ReadySession } from "./request.ts";
import type { PipeContext } from "./session-pipe.ts";
import type { OwnedSocket, SocketOwner } from "./socket.ts";
import { type HandedOver, type UpgradeDeps, upgrade } from "./upgrade.ts";
import { readsProgress, type WaitingRoom } from "./waiting-room.ts";

export type ConnectionDeps = EndpointDeps &
  UpgradeDeps & {
    readonly auth: PasswordVerifier;
    readonly waitingRoom: WaitingRoom;
    /** Of relays for other brokers, which keep the record. */
    readonly relayPipes: PipeContext;
    readonly relays: Relays;
    /** Takes over browsers; without it they are told that there is nothing here. */
    readonly gateway?: Gateway | undefined;
    /** Called once, when nothing is left of a connection that the gateway took. */
    readonly onGatewayEnded: (connection: Connection) => void;
    /** Called once, when the connection is gone without having become a pipe. */
    readonly onGone: (connection: Connection) => void;
    /** Called once, when the socket went over to a pipe: whose it is. */
    readonly onHandedOver: (connection: Connection, to: "session" | "relay" | "gateway") => void;
  };

type Phase = "handshake" | "reading" | "answering" | "lingering" | "handed-over" | "closed";

const REFUSED_SECONDS = 60;

export class Connection implements SocketOwner {
  readonly #deps: ConnectionDeps;
  readonly #socket: OwnedSocket;
  readonly clientAddress: string;
  /** What it is told, whatever it asks. */
  readonly #refusal: string | undefined;
  readonly #authenticator: ConnectionAuthenticator;
  readonly #parser = new HeadParser();
  /** Until it is known who speaks; undefined from then on. */
  #firstLine: FirstLine | undefined;
  #phase: Phase = "handshake";
  #deadlineMs: number;
  /** Received and not read yet. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #unsent: Uint8Array[] = [];
  #gone: AbortController | undefined;
  /** The client sends nothing more; it may still read the answer. */
  #hasEnded = false;
  #isDraining = false;
  #hasAnswered = false;
  /** What is being answered is of no use to a client that has ended. */
  #needsBothWays = false;

  constructor(deps: ConnectionDeps, socket: OwnedSocket, refusal?: string) {
    this.#deps = deps;
    this.#socket = socket;
    this.#refusal = refusal;
    this.clientAddress = socket.remoteAddress;
    this.#authenticator = new ConnectionAuthenticator(deps.auth, {
      ...{ origin: socket.remoteAddress, room: deps.waitingRoom, mayWaitMs: deps.limits.signInMs },
    });
    this.#deadlineMs = performance.now() + deps.limits.handshakeMs;
    if (deps.gateway !== undefined && refusal === undefined) this.#firstLine = new FirstLine();
  }

  /** Ends the connection when its phase has lasted too long. Called every second. */
  expire(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) this.#socket.terminate();
  }

  /**
   * Ends soon, and loses nothing that was asked: who has just come gets an answer, who proved to be somebody may
   * still choose a desktop within `drainTalkMs`, all others are done.
   */
  drain(): void {
    this.#isDraining = true;
    if (this.#phase === "reading" && this.#isIdleStranger) this.#linger();
    else this.#deadlineMs = this.#boundTalk(this.#deadlineMs);
  }

  get #isIdleStranger(): boolean {
    return this.#hasAnswered && !this.#authenticator.hasProof && !this.#parser.isInside;
  }

  /** While a request is answered there is no deadline but its own. */
  #boundTalk(deadlineMs: number): number {
    if (!this.#isDraining || deadlineMs === Number.POSITIVE_INFINITY) return deadlineMs;
    return Math.min(deadlineMs, performance.now() + this.#deps.limits.drainTalkMs);
  }

  onHandshake(isSecure: boolean): void {
    if (!isSecure) return void this.#socket.terminate();
    this.#enterReading();
  }

  onData(chunk: Uint8Array): void {
    // What comes with the handshake's end waits until the client's certificate was looked at.
    if (this.#phase !== "handshake" && this.#phase !== "reading" && this.#phase !== "answering") return;
    keepTogether(this.#waiting, chunk);
    this.#waitingBytes += chunk.length;
    if (this.#canRead) this.#proceed();
    else if (this.#waitingBytes > HEAD_LIMITS.waitingBytes) this.#socket.terminate();
  }

  onDrain(): void {
    while (this.#unsent.length > 0) {
      const chunk = this.#unsent[0] ?? new Uint8Array();
      const written = Math.max(0, this.#socket.write(chunk));
      if (written < chunk.length) {
        this.#unsent[0] = chunk.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#phase === "lingering") this.#endSending();
    else this.#proceed();
  }

  onEnd(): void {
    this.#hasEnded = true;
    if (this.#phase === "handshake") this.#socket.end();
    else if (this.#phase === "answering") {
      if (this.#needsBothWays) this.#gone?.abort();
    } else if (this.#phase === "reading") this.#proceed();
    else if (this.#unsent.length === 0) this.#endSending();
  }

  onClose(): void {
    this.#phase = "closed";
    this.#gone?.abort();
    this.#waiting = [];
    this.#unsent = [];
    this.#deps.onGone(this);
  }

  #enterReading(): void {
    this.#phase = "reading";
    this.#gone = undefined;
    const { idleMs, strangerIdleMs } = this.#deps.limits;
    const patienceMs = this.#authenticator.hasProof ? idleMs : Math.min(idleMs, strangerIdleMs);
    this.#deadlineMs = this.#boundTalk(performance.now() + patienceMs);
    if (this.#isDraining && this.#isIdleStranger) this.#linger();
    else this.#proceed();
  }

  /** Reads on where that is allowed. Whoever has ended gets the answers to all it asked before, then the end. */
  #proceed(): void {
    if (this.#canRead) this.#read();
    if (this.#canRead && this.#hasEnded) this.#linger();
  }

  /** Whoever asks on without reading the answers would have us keep them all. */
  get #canRead(): boolean {
    return this.#phase === "reading" && this.#unsent.length === 0;
  }

  #read(): void {
    for (let chunk = this.#waiting.shift(); chunk !== undefined; chunk = this.#waiting.shift()) {
      const speaker = this.#firstLine?.push(chunk);
      if (speaker === "browser") return void this.#giveToGateway();
      if (speaker === "client") this.#firstLine = undefined;
      const isFirst = !this.#parser.isInside;
      const parsed = this.#parser.push(chunk);
      if (parsed === undefined) {
        if (isFirst) this.#deadlineMs = performance.now() + this.#deps.limits.headMs;
        continue;
      }
      if (parsed.kind === "fault") {
        this.#sendLast({ status: parsed.fault.status, body: parsed.fault.text });
        return;
      }
      if (this.#refusal !== undefined) {
        this.#sendLast({ status: 503, body: this.#refusal, retryAfterSeconds: REFUSED_SECONDS });
        return;
      }
      if (parsed.rest.length > 0) this.#waiting.unshift(parsed.rest);
      this.#waitingBytes = this.#waiting.reduce((sum, { length }) => sum + length, 0);
      this.#answer(parsed.head).catch((error: unknown) => {
        this.#deps.log.error("connection-failed", { error });
        this.#socket.terminate();
      });
      return;
    }
    this.#waitingBytes = 0;
  }

  #giveToGateway(): void {
    const early = [...(this.#firstLine?.chunks ?? []), ...this.#waiting];
    const { gateway, onHandedOver, onGatewayEnded } = this.#deps;
    this.#phase = "handed-over";
    onHandedOver(this, "gateway");
    const client = { socket: this.#socket, unsent: [], early };
    gateway?.take(client, this.clientAddress, () => onGatewayEnded(this));
  }

  async #answer(head: RequestHead): Promise<void> {
    const gone = new AbortController();
    this.#phase = "answering";
    this.#gone = gone;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    const outcome = await this.#ask(head, gone.signal);
    if (this.#phase !== "answering") return;
    if (outcome.kind === "upgrade") return this.#upgrade(outcome.session, gone.signal);
    if (outcome.kind === "relay") return this.#relay(outcome.relay, gone.signal);
    if (outcome.isLast) this.#sendLast(outcome.answer);
    else {
      this.#send(outcome.answer);
      this.#hasAnswered = outcome.expectsMore !== true;
      this.#enterReading();
    }
  }

  async #ask(head: RequestHead, signal: AbortSignal): Promise<Outcome> {
    const endpoint = findEndpoint(head);
    const tell = (text: string) => {
      if (this.#phase === "answering") this.#write(formatProgress(text));
    };
    this.#needsBothWays = false;
    if (endpoint.needsBothWays) this.#leaveIfEnded();
    try {
      return await endpoint.answer(this.#deps, {
        head,
        clientAddress: this.clientAddress,
        readChannelKey: () => readChannelKey(this.#socket),
        signal,
        authenticate: () =>
          this.#authenticator.authenticate({
            authorization: head.headers.get("authorization"),
            tell: readsProgress(head) ? tell : undefined,
            onCrowd: () => this.#leaveIfEnded(),
            signal,
          }),
        tell,
      });
    } catch (error) {
      const answer = this.#explain(error, head);
      return { kind: "answer", answer, isLast: endpoint.isLastWord };
    }
  }

  /** Who cancels looks like one who has said all. In a crowd the first is likely, and a place is dear. */
  #leaveIfEnded(): void {
    this.#needsBothWays = true;
    if (this.#hasEnded) this.#gone?.abort();
  }

  async #upgrade(session: ReadySession, signal: AbortSignal): Promise<void> {
    try {
      const handOver = () => this.#handOver(signal, "session");
      await upgrade(this.#deps, { session, clientAddress: this.clientAddress, signal, handOver });
    } catch (error) {
      if (this.#phase !== "answering") return;
      this.#sendLast(isAppError(error) ? notAvailable(describeError(error)) : this.#explain(error));
    }
  }

  async #relay(relay: Relay, signal: AbortSignal): Promise<void> {
    const { relayPipes: pipes, relays, limits } = this.#deps;
    const deps = { pipes, relays, timeoutMs: limits.upgradeMs };
    try {
      await acceptRelay(deps, relay, () => this.#handOver(signal, "relay"));
    } catch (error) {
      if (this.#phase === "answering") this.#sendLast(this.#explain(error));
    }
  }

  /** The socket for a pipe; undefined when its client left. */
  #handOver(signal: AbortSignal, to: "session" | "relay"): HandedOver | undefined {
    if (this.#phase !== "answering" || signal.aborted) return undefined;
    this.#phase = "handed-over";
    this.#deps.onHandedOver(this, to);
    return { socket: this.#socket, unsent: this.#unsent, early: this.#waiting };
  }

  #explain(error: unknown, head?: RequestHead): Answer {
    if (isAppError(error)) {
      this.#deps.log.warn("request-refused", { path: head?.path, error });
      return { status: 503, body: describeError(error) };
    }
    this.#deps.log.error("request-failed", { path: head?.path, error });
    return { status: 500 };
  }

  #send(answer: Answer): void {
    const { head, body } = formatAnswer(answer);
    this.#write(head);
    this.#write(body);
  }

  #sendLast(answer: Answer): void {
    this.#send(answer);
    this.#linger();
  }

  /** From now on only reads: closing with bytes unread would reset the connection and lose the answer. */
  #linger(): void {
    this.#phase = "lingering";
    this.#gone = undefined;
    this.#waiting = [];
    this.#deadlineMs = performance.now() + this.#deps.limits.lingerMs;
    if (this.#unsent.length === 0) this.#endSending();
  }

  /** Not `end()` while the client may send: over TLS nothing could close the socket after it (see pipe.ts). */
  #endSending(): void {
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }

  #write(bytes: Uint8Array): void {
    if (this.#unsent.length > 0) return void this.#unsent.push(bytes);
    const written = Math.max(0, this.#socket.write(bytes));
    if (written < bytes.length) this.#unsent.push(bytes.subarray(written));
  }
}
