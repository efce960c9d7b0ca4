/**
 * Orders on their way: each is sent once, and ends by the agent's answer, by its deadline or with the
 * attachment. Nothing is retried here; the next pass of the node's loop does.
 */

import { AppError } from "../../lib/errors.ts";

type Pending = {
  readonly what: string;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
  readonly timer: Timer;
};
type Timer = ReturnType<typeof setTimeout>;

export class PendingOrders {
  readonly #most: number;
  readonly #pending = new Map<number, Pending>();
  #next = 1;

  constructor(most: number) {
    this.#most = most;
  }

  /** Registers an order, has it sent by `send` with its id, and resolves when the agent says `done`. */
  place(what: string, timeoutMs: number, send: (order: number) => void): Promise<void> {
    if (this.#pending.size >= this.#most) {
      return Promise.reject(
        new AppError("unavailable", `${what}: ${this.#most} orders already wait for an answer`),
      );
    }
    const order = this.#next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(order);
        reject(
          new AppError(
            "timeout",
            `${what}: the agent in the desktop gave no answer for ${timeoutMs / 1000} s`,
          ),
        );
      }, timeoutMs);
      this.#pending.set(order, { what, resolve, reject, timer });
      send(order);
    });
  }

  /** Takes an answer; false when no such order was ever given. One that comes after its deadline is fine. */
  finish(order: number, failure?: { readonly fault: string; readonly text: string }): boolean {
    const pending = this.#pending.get(order);
    if (pending === undefined) return order < this.#next;
    this.#remove(order, pending);
    if (failure === undefined) pending.resolve();
    else {
      pending.reject(
        new AppError("guest-failed", `${pending.what}: ${failure.text} (${failure.fault})`, {
          cause: failure,
        }),
      );
    }
    return true;
  }

  failAll(why: string): void {
    for (const [order, pending] of this.#pending) {
      this.#remove(order, pending);
      pending.reject(new AppError("unavailable", `${pending.what}: ${why}`));
    }
  }

  #remove(order: number, pending: Pending): void {
    clearTimeout(pending.timer);
    this.#pending.delete(order);
  }
}
