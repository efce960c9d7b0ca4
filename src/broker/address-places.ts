/**
 * How many of a worker's connections one address may hold, so that nobody takes all of them from one place. A few over the
 * bound are let in to be told so, since a person behind a shared address can't know otherwise; the others are closed as they come.
 */

import { isIP } from "node:net";
import { callingNetwork } from "../domain/access/calling-network.ts";
import type { Log } from "../lib/log.ts";
import { plainAddress } from "./balancers.ts";

export type AddressPlacesOptions = {
  /** Of one address; 0 is without bound. */
  readonly most: number;
  /** Who speaks for many: the box itself, and balancers. */
  readonly isExempt: (address: string) => boolean;
  readonly log: Log;
  readonly nowMs: () => number;
};

/** `in`: like anybody; `told`: to be told why not; `full`: to be closed. All three count until `leave`. */
export type Admission = "in" | "told" | "full";

const MOST_TOLD = 50;
const SAY_EVERY_MS = 60_000;
/** Addresses that the log has named lately. */
const MOST_SAID = 1_000;

export class AddressPlaces {
  readonly #options: AddressPlacesOptions;
  readonly #held = new Map<string, number>();
  readonly #saidAtMs = new Map<string, number>();
  #turnedAway = 0;

  constructor(options: AddressPlacesOptions) {
    this.#options = options;
  }

  /** Since this worker began. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  take(address: string): Admission {
    const { most, isExempt } = this.#options;
    if (most === 0 || isExempt(address)) return "in";
    const caller = callingNetwork(plainAddress(address));
    const held = (this.#held.get(caller) ?? 0) + 1;
    this.#held.set(caller, held);
    if (held <= most) return "in";
    this.#turnedAway++;
    this.#say(caller, held);
    return held <= most + MOST_TOLD ? "told" : "full";
  }

  /** Once for each `take`, whatever it said. */
  leave(address: string): void {
    const caller = callingNetwork(plainAddress(address));
    const held = this.#held.get(caller);
    if (held === undefined) return;
    if (held > 1) this.#held.set(caller, held - 1);
    else this.#held.delete(caller);
  }

  #say(caller: string, held: number): void {
    const { log, most, nowMs } = this.#options;
    const now = nowMs();
    if (now - (this.#saidAtMs.get(caller) ?? Number.NEGATIVE_INFINITY) < SAY_EVERY_MS) return;
    if (this.#saidAtMs.size >= MOST_SAID) this.#saidAtMs.clear();
    this.#saidAtMs.set(caller, now);
    log.warn("address-full", { address: caller, held, most, advice: ADVICE });
  }
}

const ADVICE =
  "QVD_BROKER_PER_ADDRESS says how many; a balancer that stands there belongs into QVD_BROKER_BALANCERS";

/** Programs of this machine, such as a balancer that sends no header. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}
