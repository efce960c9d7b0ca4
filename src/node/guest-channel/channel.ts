/**
 * The node's end of one desktop's guest channel: a listening unix socket in the folder that the desktop sees
 * as /run/qvd. One attachment at a time counts, the newest that has greeted; an agent that restarts simply
 * connects again. A desktop that breaks a limit loses its socket for a while: the kernel then refuses its
 * connections at no cost to us.
 *
 * The socket belongs to the desktop's root (its shifted uid on the host) with mode 0600, so that an ordinary
 * user of the desktop can't play the agent. The folder has to be passable for ids that own nothing on it.
 */

import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { VmId } from "../../domain/ids.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { AppError, assertNever } from "../../lib/errors.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import { type FromGuest, GUEST_WIRE_VERSION, type ToGuest } from "../../wire/guest/messages.ts";
import { Attachment, type Hello, type PeerSocket } from "./attachment.ts";
import type { GuestChannelsOptions, GuestEvent, GuestSnapshot } from "./guest-channels.ts";
import { CHANNEL_LIMITS, type ChannelLimits } from "./limits.ts";
import { PendingOrders } from "./pending-orders.ts";

type Connection = { attachment: Attachment | undefined };
type Listener = { stop(closeActive?: boolean): void };

export class GuestChannel {
  readonly #vmId: VmId;
  readonly #path: string;
  readonly #ownerUid: number;
  readonly #options: GuestChannelsOptions;
  readonly #limits: ChannelLimits;
  readonly #orders: PendingOrders;
  readonly #connections = new Set<Attachment>();
  readonly #connectionBucket: TokenBucket;
  #listener: Listener | undefined;
  #current: Attachment | undefined;
  #backoffTries = 0;
  #backoffTimer: ReturnType<typeof setTimeout> | undefined;
  #brokeAtMs = Number.NEGATIVE_INFINITY;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #snapshot: GuestSnapshot = {
    isAttached: false,
    boot: null,
    lastBeatMs: null,
    address: null,
    xState: "none",
    session: null,
    garbageCount: 0,
  };

  constructor(vmId: VmId, socket: { path: string; ownerUid: number }, options: GuestChannelsOptions) {
    this.#vmId = vmId;
    this.#path = socket.path;
    this.#ownerUid = socket.ownerUid;
    this.#options = options;
    this.#limits = { ...CHANNEL_LIMITS, ...options.limits };
    this.#orders = new PendingOrders(this.#limits.mostOrders);
    this.#connectionBucket = new TokenBucket(this.#limits.connections, this.#nowMs());
    this.#listen();
  }

  get snapshot(): GuestSnapshot {
    return this.#snapshot;
  }

  get socketPath(): string {
    return this.#path;
  }

  order(what: string, timeoutMs: number, compose: (order: number) => ToGuest): Promise<void> {
    const doing = `${what} of desktop ${this.#vmId}`;
    const current = this.#current;
    if (current === undefined) {
      return Promise.reject(new AppError("unavailable", `${doing}: its agent is not attached`));
    }
    return this.#orders.place(doing, timeoutMs, (order) => current.send(compose(order)));
  }

  /** No order, so nothing is waited for. */
  send(message: ToGuest): void {
    this.#current?.send(message);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#backoffTimer);
    this.#stopListening();
    this.#detach("the channel was closed");
    for (const attachment of this.#connections) attachment.close();
    this.#connections.clear();
  }

  #listen(): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    chmodSync(dirname(this.#path), 0o755);
    // Left by the node process before us; a listener is re-creatable, the agents connect again.
    rmSync(this.#path, { force: true });
    this.#listener = Bun.listen<Connection>({ unix: this.#path, socket: this.#handlers() });
    chmodSync(this.#path, 0o600);
    chownSync(this.#path, this.#ownerUid, this.#ownerUid);
  }

  #handlers(): Bun.SocketHandler<Connection> {
    return {
      open: (socket) => {
        socket.data = { attachment: this.#accept(socket) };
        if (socket.data.attachment === undefined) socket.terminate();
      },
      data: (socket, chunk) => socket.data.attachment?.receive(chunk),
      drain: (socket) => socket.data.attachment?.flush(),
      // A peer that ended only its sending half is no use to anyone.
      end: (socket) => void socket.terminate(),
      close: (socket) => this.#forget(socket.data.attachment, "its agent went away"),
      error: (socket) => void socket.terminate(),
    };
  }

  #accept(socket: PeerSocket): Attachment | undefined {
    if (!this.#connectionBucket.take(1, this.#nowMs())) {
      this.#makeWait("it connects too often");
      return undefined;
    }
    if (this.#connections.size >= this.#limits.mostConnections) return undefined;
    const attachment = new Attachment(socket, this.#attachmentEvents(), {
      limits: this.#limits,
      nowMs: () => this.#nowMs(),
    });
    this.#connections.add(attachment);
    setTimeout(() => {
      if (!attachment.hasGreeted) this.#forget(attachment, "no hello came");
    }, this.#limits.helloTimeoutMs).unref();
    return attachment;
  }

  #attachmentEvents() {
    return {
      hello: (attachment: Attachment, hello: Hello) => this.#attach(attachment, hello),
      message: (attachment: Attachment, message: Exclude<FromGuest, Hello>) => {
        if (attachment === this.#current) this.#take(attachment, message);
      },
      garbage: (_attachment: Attachment, reason: string) => {
        this.#snapshot = { ...this.#snapshot, garbageCount: this.#snapshot.garbageCount + 1 };
        this.#emit({ type: "garbage", count: this.#snapshot.garbageCount, reason });
      },
      overLimit: (_attachment: Attachment, reason: string) => this.#makeWait(reason),
    };
  }

  #attach(attachment: Attachment, hello: Hello): void {
    const old = this.#current;
    this.#current = undefined;
    if (old !== undefined) {
      this.#orders.failAll("its agent was replaced by a newer one");
      this.#drop(old);
    }
    this.#current = attachment;
    const isNewBoot = hello.boot !== this.#snapshot.boot;
    this.#snapshot = {
      ...this.#snapshot,
      isAttached: true,
      boot: hello.boot,
      lastBeatMs: this.#nowMs(),
      ...(isNewBoot ? { xState: "none", session: null, address: null } : {}),
    };
    attachment.send({
      ...{ type: "welcome", version: GUEST_WIRE_VERSION, attachment: hello.attachment },
      ...readIncarnation(this.#path),
    });
    this.#expectSomethingSoon();
    this.#emit({ type: "attached", boot: hello.boot, isNewBoot });
  }

  #take(attachment: Attachment, message: Exclude<FromGuest, Hello>): void {
    this.#expectSomethingSoon();
    switch (message.type) {
      case "beat":
        this.#snapshot = { ...this.#snapshot, lastBeatMs: this.#nowMs(), address: message.address };
        this.#emit({ type: "beat" });
        break;
      case "session":
        this.#snapshot = { ...this.#snapshot, xState: message.state, session: message.session };
        this.#emit({ type: "session-changed", xState: message.state, session: message.session });
        break;
      case "done":
        if (!this.#orders.finish(message.order)) attachment.reportGarbage("an answer to no order");
        break;
      case "failed":
        if (!this.#orders.finish(message.order, message)) attachment.reportGarbage("an answer to no order");
        break;
      case "hook":
        this.#emit({ type: "hook-failed", hook: message.hook, text: message.text });
        break;
      case "channel":
        this.#emit({ type: "channel-failed", channel: message.channel, text: message.text });
        break;
      case "unlock":
        this.#emit({ type: "unlock-asked", request: message.request, secret: message.secret });
        break;
      case "powering-off":
        this.#emit({ type: "powering-off" });
        break;
      default:
        assertNever(message);
    }
  }

  /** A half-dead agent keeps its connection open; silence is what gives it away. */
  #expectSomethingSoon(): void {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => {
      this.#forget(this.#current, `its agent was silent for ${this.#limits.silenceMs / 1000} s`);
    }, this.#limits.silenceMs);
    this.#silenceTimer.unref();
  }

  #makeWait(reason: string): void {
    if (this.#isClosed || this.#backoffTimer !== undefined) return;
    const nowMs = this.#nowMs();
    // A minute longer than the longest wait without trouble: forgiven.
    if (nowMs - this.#brokeAtMs > this.#limits.backoff.mostMs + 60_000) this.#backoffTries = 0;
    this.#brokeAtMs = nowMs;
    this.#backoffTries += 1;
    const waitMs = backoffMs(this.#backoffTries, this.#limits.backoff);
    this.#options.log.warn("guest-made-to-wait", { vmId: this.#vmId, reason, waitMs });
    this.#stopListening();
    this.#detach(reason);
    for (const attachment of this.#connections) attachment.close();
    this.#connections.clear();
    this.#backoffTimer = setTimeout(() => {
      this.#backoffTimer = undefined;
      this.#listenAgain();
    }, waitMs);
  }

  #listenAgain(): void {
    try {
      this.#listen();
    } catch (error) {
      this.#options.log.error("guest-channel-not-reopened", { vmId: this.#vmId, error });
      this.#makeWait("its socket could not be made again");
    }
  }

  #stopListening(): void {
    this.#listener?.stop(false);
    this.#listener = undefined;
    rmSync(this.#path, { force: true });
  }

  #forget(attachment: Attachment | undefined, reason: string): void {
    if (attachment === undefined) return;
    this.#drop(attachment);
    if (attachment === this.#current) this.#detach(reason);
  }

  #drop(attachment: Attachment): void {
    this.#connections.delete(attachment);
    attachment.close();
  }

  #detach(reason: string): void {
    clearTimeout(this.#silenceTimer);
    if (this.#current === undefined) return;
    this.#current = undefined;
    this.#snapshot = { ...this.#snapshot, isAttached: false };
    this.#orders.failAll(reason);
    this.#emit({ type: "detached", reason });
  }

  #emit(event: GuestEvent): void {
    this.#options.onEvent(this.#vmId, event);
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** What the start has left beside the socket. A machine can't look there. */
function readIncarnation(socketPath: string): { readonly incarnation?: string } {
  const path = `${dirname(socketPath)}/incarnation`;
  return existsSync(path) ? { incarnation: readFileSync(path, "utf8").trim() } : {};
}
