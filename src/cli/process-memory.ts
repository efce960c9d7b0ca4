/**
 * What the allocator of a box's processes is told, beside their settings. It looks for free memory within pages that are in use,
 * and gives it back: by itself ten times a second, with what the next picture or look asks for again. Memory of idle sessions
 * is given back as before, a moment later.
 */
export const PROCESS_MEMORY = {
  /** Milliseconds. */
  MIMALLOC_PURGE_HOLES_MIN_INTERVAL: "2000",
} as const;
