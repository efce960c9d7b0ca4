/** An agent that speaks the guest channel as a real one does, and does nothing of what it is told but say so. */

import { randomUUID } from "node:crypto";
import type { XState } from "../../../src/domain/session/x-state.ts";
import type { SimGuest, SimGuestBehaviour } from "../../../src/hypervisor/sim/sim-hypervisor.ts";
import { type FromGuest, formatGuestMessage, GUEST_WIRE_VERSION } from "../../../src/wire/guest/messages.ts";

export class SimAgent implements SimGuest {
  readonly #path: string;
  readonly #behaviour: SimGuestBehaviour;
  readonly #boot = randomUUID();
  #socket: { write(data: string): number; end(): void } | undefined;
  #hasLeft = false;
  /** Sessions it was asked to prepare, in their order. */
  readonly prepared: number[] = [];
  /** The orders for them, as they came. */
  readonly orders: Readonly<Record<string, unknown>>[] = [];
  /** Sentences that it was told to show. */
  readonly notices: string[] = [];

  constructor(path: string, behaviour: SimGuestBehaviour) {
    this.#path = path;
    this.#behaviour = behaviour;
  }

  /** Connects, and again for as long as the desktop lives, as PID 1 sees to. */
  attach(): void {
    void this.#connect();
  }

  async #connect(): Promise<void> {
    if (this.#hasLeft) return;
    let rest = "";
    try {
      this.#socket = await Bun.connect({
        unix: this.#path,
        socket: {
          data: (_socket, chunk) => {
            const lines = (rest + chunk.toString()).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) if (line !== "") this.#take(JSON.parse(line));
          },
          close: () => {
            this.#socket = undefined;
            if (!this.#hasLeft) setTimeout(() => this.attach(), 50);
          },
        },
      });
      const hello = {
        type: "hello",
        version: GUEST_WIRE_VERSION,
        attachment: randomUUID(),
        boot: this.#boot,
      };
      this.#socket.write(`\n${JSON.stringify({ ...hello, agentPid: 7 })}\n`);
    } catch {
      // Nobody listens yet, as while the node restarts.
      setTimeout(() => this.attach(), 50);
    }
  }

  /** The agent alone is gone; the desktop lives. */
  detach(): void {
    this.#hasLeft = true;
    this.#socket?.end();
  }

  leave(): void {
    this.detach();
  }

  say(message: FromGuest): void {
    this.#socket?.write(formatGuestMessage(message));
  }

  sayXState(state: XState): void {
    this.say({ type: "session", state, session: this.prepared.at(-1) ?? null });
  }

  /** Bytes that are no message. */
  sayRaw(text: string): void {
    this.#socket?.write(text);
  }

  #take(message: {
    readonly type: string;
    readonly order: number;
    readonly session?: number;
    readonly text?: string;
  }): void {
    if (message.type === "welcome") return;
    if (message.type === "notice") this.notices.push(message.text ?? "");
    if (message.type === "session-prepare") {
      this.prepared.push(message.session ?? 0);
      this.orders.push(message);
    }
    if (message.type === "session-prepare" && this.#behaviour.failsSessions()) {
      const text = "nxagent ended at once";
      this.say({ type: "failed", order: message.order, fault: "session-start-failed", text });
      return;
    }
    if (message.type === "session-prepare") this.sayXState("listening");
    this.say({ type: "done", order: message.order });
    if (message.type === "power-off") this.#behaviour.onPoweroff();
  }
}
