/**
 * What a broker's allocator is told, beside its settings. It looks for free memory within pages that are in use, and gives it
 * back: by itself ten times a second, with what the next picture asks for again. Memory of idle sessions is given back as
 * before, a moment later.
 */
export const BROKER_MEMORY = {
  /** Milliseconds. */
  MIMALLOC_PURGE_HOLES_MIN_INTERVAL: "2000",
} as const;
