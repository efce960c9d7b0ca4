/**
 * Timers of many simulated boxes in one process: what is due within the same few milliseconds is called together. A
 * box of its own is woken by the machine's clock; two thousand in one process would do little else than wake.
 */

import type { Timers } from "../../src/lib/clock.ts";

type Call = { readonly call: () => void; isOff: boolean };

/** Calls are up to `tickMs` late. They never stop: for a process that is ended. */
export function createCoarseTimers(tickMs: number): Timers {
  const due = new Map<number, Call[]>();
  const tickOf = (ms: number) => Math.ceil((performance.now() + Math.max(ms, 0)) / tickMs);
  let last = tickOf(0) - 1;
  const add = (ms: number, one: Call) => {
    const tick = Math.max(tickOf(ms), last + 1);
    const others = due.get(tick);
    if (others === undefined) due.set(tick, [one]);
    else others.push(one);
  };
  setInterval(() => {
    const now = Math.floor(performance.now() / tickMs);
    while (last < now) {
      const calls = due.get(++last) ?? [];
      due.delete(last);
      for (const one of calls) if (!one.isOff) one.call();
    }
  }, tickMs);
  const off = (one: Call) => () => {
    one.isOff = true;
  };
  return {
    after: (ms, call) => {
      const one = { call, isOff: false };
      add(ms, one);
      return off(one);
    },
    every: (ms, call) => {
      const one: Call = {
        call: () => {
          add(ms, one);
          call();
        },
        isOff: false,
      };
      add(ms, one);
      return off(one);
    },
  };
}
