import { expect, test } from "bun:test";
import { Spin } from "./spin.ts";

/** Turns in 50 µs, as sums of fractions come out. */
const MOMENT = [24, 25, 26];

/** Turns of 2 µs each, in which nothing comes but what the test notes. */
function create() {
  const time = { ms: 1_000 };
  let next: (() => void) | undefined;
  const spin = new Spin({
    nowMs: () => time.ms,
    nextTurn: (call) => {
      next = call;
    },
  });
  const turn = (ms = 0.002): boolean => {
    time.ms += ms;
    const call = next;
    next = undefined;
    call?.();
    return call !== undefined;
  };
  /** Turns until it falls asleep. */
  const turnOn = () => {
    let turns = 0;
    while (turn()) turns++;
    return turns;
  };
  return { time, spin, turn, turnOn };
}

test("stays awake for a moment after a message, and then sleeps", () => {
  const { spin, turnOn } = create();
  expect(turnOn()).toBe(0);
  spin.note();
  expect(MOMENT).toContain(turnOn());
  expect(turnOn()).toBe(0);
});

test("each message begins the moment anew", () => {
  const { spin, turn, turnOn } = create();
  spin.note();
  for (let n = 0; n < 1_000; n++) {
    expect(turn(0.02)).toBe(true);
    spin.note();
  }
  expect(MOMENT).toContain(turnOn());
});

test("messages that nobody answers keep it awake for a fiftieth of the time", () => {
  const { time, spin, turn } = create();
  let awakeMs = 0;
  const endMs = time.ms + 10_000;
  while (time.ms < endMs) {
    spin.note();
    const beganMs = time.ms;
    while (turn()) awakeMs += 0.002;
    time.ms = beganMs + 0.5;
  }
  expect(awakeMs).toBeLessThan(10_000 * 0.021 + 5);
  expect(awakeMs).toBeGreaterThan(10_000 * 0.015);
});

test("answers cost it nothing of that", () => {
  const { spin, turn, turnOn } = create();
  for (let n = 0; n < 10_000; n++) {
    spin.note();
    turn(0.03);
  }
  spin.note();
  expect(MOMENT).toContain(turnOn());
});

test("rests when it was interrupted, for others want the processor", () => {
  const { time, spin, turn, turnOn } = create();
  spin.note();
  turn(3);
  spin.note();
  expect(turnOn()).toBe(0);
  time.ms += 101;
  spin.note();
  expect(MOMENT).toContain(turnOn());
});
