/** The site's marks of failures to sign in, in memory; they keep time by `clock`. */

import type { Mark, MarkStore, NewMark } from "../../src/auth/marks.ts";
import type { Clock } from "../../src/lib/clock.ts";

export type MemoryMarks = MarkStore & {
  /** As if the database didn't answer. */
  isAway: boolean;
  /** Writes so far. */
  writes: number;
};

type Row = Omit<Mark, "ageMs"> & { readonly atMs: number; readonly expiresAtMs: number };

export function createMemoryMarks(clock: Clock): MemoryMarks {
  const rows = new Map<string, Row>();
  const living = (): Mark[] => {
    if (marks.isAway) throw new Error("away");
    const nowMs = clock.monotonicMs();
    return [...rows.values()]
      .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
      .map(({ atMs, ...row }) => ({ ...row, ageMs: nowMs - atMs }));
  };
  const write = ({ memoryMs, ...mark }: NewMark) => {
    marks.writes++;
    const nowMs = clock.monotonicMs();
    rows.set(mark.id, { ...mark, atMs: nowMs, expiresAtMs: nowMs + memoryMs });
  };
  const marks: MemoryMarks = {
    isAway: false,
    writes: 0,
    read: async (ids) => living().filter(({ id }) => ids.includes(id)),
    list: async () => living(),
    count: async (failed) => {
      const before = living();
      for (const one of failed) {
        const failures = before.find(({ id }) => id === one.id)?.failures ?? 0;
        write({ ...one, failures: failures + one.failures });
      }
      return living().filter(({ id }) => failed.some((one) => one.id === id));
    },
    noteProved: async (proved) => {
      living();
      write({ ...proved, lane: "proved", failures: 0 });
    },
    forget: async (ids) => {
      const gone = living().filter(({ id }) => ids.includes(id));
      marks.writes++;
      for (const { id } of gone) rows.delete(id);
      return gone.length;
    },
  };
  return marks;
}
