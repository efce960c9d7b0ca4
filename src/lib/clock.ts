/** Time as an argument, so that rules about time are tested by hand-driven clocks. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  nowMs(): number;
  /** Never goes back; only differences mean something. Milliseconds. */
  monotonicMs(): number;
}

/** Calls made later. What is returned calls them off, and may be called again or too late. */
export interface Timers {
  after(ms: number, call: () => void): () => void;
  every(ms: number, call: () => void): () => void;
}

export const systemTimers: Timers = {
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, call) => {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  },
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
