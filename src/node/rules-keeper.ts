/**
 * Sees to it that desktops stay apart: when another program empties the packet filter (`nft flush ruleset`, a firewall's
 * restart) the box's rules are put back at once, and whoever looks after the box is told. It hears of changes from the kernel, and
 * looks each minute as well.
 */

import type { RulesSign } from "../domain/node/report.ts";
import type { Clock, Timers } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Network } from "../network/network.ts";

export type RulesKeeperDeps = {
  readonly network: Pick<Network, "mendRules" | "watchRules">;
  /** Told after each time, but no oftener than each minute; `by` is undefined where nobody knows who it was. */
  readonly onPutBack: (news: { readonly by: string | undefined; readonly tookMs: number }) => void;
  /** `trouble` is another. */
  readonly onTrouble: () => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
};

const LOOK_EVERY_MS = 60_000;
/** Where two programs fight over the rules, neither may take the processor. */
const PAUSE_MS = 100;
const AGAIN_MS = 1_000;
const TELL_EVERY_MS = 60_000;
/** How long a box says that it happened. */
const TROUBLE_MS = 3_600_000;

export class RulesKeeper {
  readonly #deps: RulesKeeperDeps;
  readonly #end = new AbortController();
  #isLooking = false;
  #isDue = false;
  #by: string | undefined;
  #heardAtMs: number | undefined;
  #times = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #trouble: Omit<RulesSign, "times"> | undefined;

  constructor(deps: RulesKeeperDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { network, clock, timers } = this.#deps;
    const onChange = (by: string | undefined) => {
      this.#by = by ?? this.#by;
      this.#heardAtMs ??= clock.monotonicMs();
      this.#look();
    };
    network.watchRules(onChange, this.#end.signal);
    const end = timers.every(LOOK_EVERY_MS, () => this.#look());
    this.#end.signal.addEventListener("abort", end, { once: true });
  }

  stop(): void {
    this.#end.abort();
  }

  /** What whoever looks after the box should know; undefined when nothing happened for long. */
  get trouble(): RulesSign | undefined {
    const isOver = this.#deps.clock.monotonicMs() - this.#lastAtMs > TROUBLE_MS;
    if (this.#trouble === undefined || (isOver && this.#trouble.fault === undefined)) return undefined;
    return { ...this.#trouble, times: this.#times };
  }

  #look(): void {
    this.#isDue = true;
    if (!this.#isLooking) void this.#lookOn();
  }

  async #lookOn(): Promise<void> {
    this.#isLooking = true;
    while (this.#isDue && !this.#end.signal.aborted) {
      this.#isDue = false;
      const pauseMs = await this.#mend();
      if (pauseMs > 0) await this.#pause(pauseMs);
    }
    // Not a moment later: whoever hears of a change in between would leave it to a look that is over.
    this.#isLooking = false;
  }

  /** Returns how long to wait before the next look. */
  async #mend(): Promise<number> {
    const { network, clock, log } = this.#deps;
    const by = this.#by;
    const sinceMs = this.#heardAtMs ?? clock.monotonicMs();
    this.#heardAtMs = undefined;
    try {
      const isMended = await network.mendRules();
      this.#by = undefined;
      if (isMended) this.#putBack(by, clock.monotonicMs() - sinceMs);
      else if (this.#trouble?.fault !== undefined) this.#setTrouble({ ...this.#trouble, fault: undefined });
      return isMended ? PAUSE_MS : 0;
    } catch (error) {
      log.error("rules-not-put-back", { by, error });
      this.#lastAtMs = clock.monotonicMs();
      this.#setTrouble({ by, atMs: clock.nowMs(), fault: describeError(error) });
      this.#isDue = true;
      return AGAIN_MS;
    }
  }

  #putBack(by: string | undefined, tookMs: number): void {
    const { clock, log, onPutBack } = this.#deps;
    this.#times++;
    this.#lastAtMs = clock.monotonicMs();
    const wasFault = this.#trouble?.fault !== undefined;
    this.#trouble = { by, atMs: clock.nowMs(), fault: undefined };
    const isNews = this.#lastAtMs - this.#toldAtMs >= TELL_EVERY_MS;
    // A report is more work than the rules are; the next one tells how often it was.
    if (wasFault || isNews) this.#deps.onTrouble();
    if (!isNews) return;
    this.#toldAtMs = this.#lastAtMs;
    log.warn("rules-put-back", { by, tookMs: Math.round(tookMs), times: this.#times });
    onPutBack({ by, tookMs });
  }

  #setTrouble(trouble: Omit<RulesSign, "times">): void {
    const isNews = trouble.fault !== this.#trouble?.fault;
    this.#trouble = trouble;
    if (isNews) this.#deps.onTrouble();
  }

  /** Leaves nothing behind on the signal: two programs may fight for days. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#end;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = this.#deps.timers.after(ms, resolve);
    const stop = () => resolve();
    signal.addEventListener("abort", stop, { once: true });
    await promise;
    signal.removeEventListener("abort", stop);
    end();
  }
}
