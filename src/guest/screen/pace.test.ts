import { describe, expect, test } from "bun:test";
import { Pace } from "./pace.ts";

/** Of an update that the viewer is asked to answer for. */
function sent(pace: Pace, bytes: number, nowMs: number): number {
  const mark = pace.note(bytes, nowMs);
  if (mark === undefined) throw new Error("no answer was asked for");
  return mark;
}

describe("updates under way", () => {
  test("are several on a line that answers evenly, however long it is", () => {
    const pace = new Pace();
    const marks: { readonly mark: number; readonly ms: number }[] = [];
    let asked = 0;
    for (let ms = 0; ms < 1000; ms += 16) {
      while (marks[0] !== undefined && ms - marks[0].ms > 64)
        expect(pace.answer(marks.shift()?.mark ?? 0, ms)).toBe(true);
      expect(pace.isOpen, `${ms} ms`).toBe(true);
      const mark = pace.note(1_000, ms);
      if (mark === undefined) continue;
      marks.push({ mark, ms });
      asked++;
    }
    // Of 63 updates; until the first answer each is asked for.
    expect(asked).toBeLessThan(20);
  });

  test("are asked for by every fifth, and by one of many bytes", () => {
    const pace = new Pace();
    pace.answer(sent(pace, 100, 0), 20);
    const isAsked = (bytes: number) => pace.note(bytes, 100) !== undefined;
    const sizes = [100, 100, 100, 100, 100, 20_000, 30_000];
    expect(sizes.map(isAsked)).toEqual([false, false, false, false, true, false, true]);
  });

  test("leave room though the last of them were never asked for", () => {
    const pace = new Pace();
    pace.answer(sent(pace, 100, 0), 20);
    const asked = [1, 2, 3, 4, 5].map(() => pace.note(100, 100)).at(-1) ?? 0;
    pace.note(100, 110);
    // So late that only one may be under way.
    expect(pace.answer(asked, 900)).toBe(true);
    expect(pace.isOpen).toBe(true);
    expect(pace.note(100, 910)).toBeDefined();
    expect(pace.isOpen).toBe(false);
  });

  test("are never more than twelve, nor of more than half a megabyte", () => {
    const pace = new Pace();
    for (let update = 0; update < 12; update++) {
      expect(pace.isOpen).toBe(true);
      pace.note(100, 0);
    }
    expect(pace.isOpen).toBe(false);
    const heavy = new Pace();
    heavy.note(600_000, 0);
    expect(heavy.isOpen).toBe(false);
  });

  test("are one alone while answers take longer than they did, and more once they don't", () => {
    const pace = new Pace();
    pace.answer(sent(pace, 100, 0), 20);
    pace.answer(sent(pace, 60_000, 100), 300);
    const slow = sent(pace, 100, 300);
    expect(pace.isOpen).toBe(false);
    pace.answer(slow, 325);
    pace.note(100, 330);
    expect(pace.isOpen).toBe(true);
  });

  test("are answered for by a later one, and by nothing that wasn't sent", () => {
    const pace = new Pace();
    pace.note(600_000, 0);
    const last = sent(pace, 1, 0);
    expect(pace.answer(77, 5)).toBe(false);
    expect(pace.answer(last, 5)).toBe(true);
    expect(pace.isOpen).toBe(true);
    expect(pace.answer(last, 6)).toBe(false);
  });

  test("are remembered to a bound, though none is answered for", () => {
    const pace = new Pace();
    const first = sent(pace, 1, 0);
    let last = first;
    for (let update = 0; update < 100; update++) last = sent(pace, 1, update);
    expect(pace.answer(first, 200)).toBe(false);
    expect(pace.answer(last, 200)).toBe(true);
  });
});
