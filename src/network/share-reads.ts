export type SharedRead<T> = {
  readonly read: () => Promise<T>;
  /** What is read from here on is read anew: it has changed. */
  readonly forget: () => void;
};

/** One read for all who ask within `forMs`: hundreds of desktops are checked together, and each read starts a program. */
export function shareReads<T>(
  read: () => Promise<T>,
  forMs: number,
  nowMs: () => number = () => performance.now(),
): SharedRead<T> {
  let last: { readonly atMs: number; readonly value: Promise<T> } | undefined;
  return {
    read() {
      if (last === undefined || nowMs() - last.atMs > forMs) last = { atMs: nowMs(), value: read() };
      return last.value;
    },
    forget() {
      last = undefined;
    },
  };
}
