import { describe, expect, test } from "bun:test";
import { Pace } from "./pace.ts";

describe("updates under way", () => {
  test("are several on a line that answers evenly, however long it is", () => {
    const pace = new Pace();
    const marks: number[] = [];
    for (let ms = 0; ms < 1000; ms += 16) {
      const [oldest] = marks;
      if (oldest !== undefined && marks.length > 4) expect(pace.answer(marks.shift() ?? 0, ms)).toBe(true);
      expect(pace.isOpen, `${ms} ms`).toBe(true);
      marks.push(pace.note(1_000, ms));
    }
  });

  test("are never more than eight, nor of more than half a megabyte", () => {
    const pace = new Pace();
    for (let update = 0; update < 8; update++) {
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
    pace.answer(pace.note(100, 0), 20);
    pace.answer(pace.note(100, 100), 300);
    const slow = pace.note(100, 300);
    expect(pace.isOpen).toBe(false);
    pace.answer(slow, 325);
    pace.note(100, 330);
    expect(pace.isOpen).toBe(true);
  });

  test("are answered for by a later one, and by nothing that wasn't sent", () => {
    const pace = new Pace();
    pace.note(600_000, 0);
    const last = pace.note(1, 0);
    expect(pace.answer(77, 5)).toBe(false);
    expect(pace.answer(last, 5)).toBe(true);
    expect(pace.isOpen).toBe(true);
    expect(pace.answer(last, 6)).toBe(false);
  });

  test("are remembered to a bound, though none is answered for", () => {
    const pace = new Pace();
    const first = pace.note(1, 0);
    let last = first;
    for (let sent = 0; sent < 100; sent++) last = pace.note(1, sent);
    expect(pace.answer(first, 200)).toBe(false);
    expect(pace.answer(last, 200)).toBe(true);
  });
});
