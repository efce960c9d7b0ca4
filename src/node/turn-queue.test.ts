import { expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { TurnQueue } from "./turn-queue.ts";

const vm = (id: number) => asId<VmId>(id);

function queueOf(most: number) {
  const turns: VmId[] = [];
  return {
    queue: new TurnQueue({ most: () => most, onTurn: (vmId) => turns.push(vmId), nowMs: () => 0 }),
    turns,
  };
}

test("as many as may start have their turn at once, the others a place", () => {
  const { queue } = queueOf(2);
  expect([1, 2, 3, 4].map((id) => queue.ask(vm(id)))).toEqual([0, 0, 1, 2]);
});

test("asking again changes nothing", () => {
  const { queue } = queueOf(1);
  for (let again = 0; again < 3; again++) expect([1, 2, 3].map((id) => queue.ask(vm(id)))).toEqual([0, 1, 2]);
});

test("the first in the queue has the next turn, and hears of it", () => {
  const { queue, turns } = queueOf(1);
  for (const id of [1, 2, 3]) queue.ask(vm(id));
  queue.release(vm(1));
  expect(turns).toEqual([vm(2)]);
  expect([queue.ask(vm(2)), queue.ask(vm(3))]).toEqual([0, 1]);
});

test("one that leaves the queue makes the others move up, and nobody start", () => {
  const { queue, turns } = queueOf(1);
  for (const id of [1, 2, 3]) queue.ask(vm(id));
  queue.release(vm(2));
  expect(turns).toEqual([]);
  expect(queue.ask(vm(3))).toBe(1);
});

test("releasing what never asked is nothing", () => {
  const { queue, turns } = queueOf(1);
  queue.ask(vm(1));
  queue.release(vm(9));
  expect(turns).toEqual([]);
  expect(queue.ask(vm(1))).toBe(0);
});

test("a desktop that already starts counts, over the bound too", () => {
  const { queue, turns } = queueOf(1);
  for (const id of [1, 2]) queue.count(vm(id));
  expect(queue.ask(vm(3))).toBe(1);
  queue.release(vm(1));
  expect(turns).toEqual([]);
  queue.release(vm(2));
  expect(turns).toEqual([vm(3)]);
});

test("nothing is estimated before anything was measured", () => {
  const { queue } = queueOf(1);
  for (const id of [1, 2]) queue.ask(vm(id));
  expect(queue.dueAtMs(1)).toBeUndefined();
  queue.release(vm(1));
  queue.ask(vm(3));
  expect(queue.dueAtMs(1)).toBeUndefined();
});

test("who waits is told by how long turns have taken, and how far the present ones are", () => {
  let nowMs = 0;
  const queue = new TurnQueue({ most: () => 2, onTurn: () => {}, nowMs: () => nowMs });
  for (const id of [1, 2, 3, 4, 5, 6, 7]) queue.ask(vm(id));
  nowMs = 1_000;
  queue.release(vm(1), { isDone: true });
  queue.release(vm(2), { isDone: true });
  nowMs = 1_400;
  // Two turns of 1 s each began at 1 s; so the next come at 2 s, 2 s and 3 s.
  expect([1, 2, 3].map((place) => queue.dueAtMs(place))).toEqual([2_000, 2_000, 3_000]);
  expect(queue.dueAtMs(4)).toBeUndefined();
});

test("who was told a time hears of it when a turn's end has moved it, and not when it came as told", () => {
  let nowMs = 0;
  const news: VmId[] = [];
  const onNews = (vmId: VmId) => news.push(vmId);
  const queue = new TurnQueue({ most: () => 1, onTurn: () => {}, onNews, nowMs: () => nowMs });
  const endAt = (id: number, atMs: number) => {
    nowMs = atMs;
    queue.release(vm(id), { isDone: true });
  };
  for (const id of [1, 2, 3, 4]) queue.ask(vm(id));
  endAt(1, 1_000);
  // Nothing was known before.
  expect(news.splice(0)).toEqual([vm(3), vm(4)]);
  for (const id of [3, 4]) queue.noteTold(vm(id), queue.dueAtMs(queue.ask(vm(id))));
  endAt(2, 2_050);
  expect(news.splice(0)).toEqual([]);
  endAt(3, 7_050);
  expect(news.splice(0)).toEqual([]);
  for (const id of [5, 6]) queue.ask(vm(id));
  queue.noteTold(vm(5), 8_000);
  queue.noteTold(vm(6), 20_000);
  endAt(4, 8_050);
  // The fifth has its turn now; the sixth was told a time that is far too late.
  expect(news).toEqual([vm(6)]);
});

test("with fewer turns than before, who has one keeps it, and the next waits until there are few enough", () => {
  let most = 3;
  const turns: VmId[] = [];
  const queue = new TurnQueue({ most: () => most, onTurn: (vmId) => turns.push(vmId), nowMs: () => 0 });
  expect([1, 2, 3, 4, 5].map((id) => queue.ask(vm(id)))).toEqual([0, 0, 0, 1, 2]);
  most = 1;
  queue.release(vm(1));
  queue.release(vm(2));
  expect(turns).toEqual([]);
  queue.release(vm(3));
  expect(turns).toEqual([vm(4)]);
});

test("a turn that was called off says nothing of how long turns take", () => {
  let nowMs = 0;
  const queue = new TurnQueue({ most: () => 1, onTurn: () => {}, nowMs: () => nowMs });
  for (const id of [1, 2, 3]) queue.ask(vm(id));
  nowMs = 10;
  queue.release(vm(1));
  expect(queue.dueAtMs(1)).toBeUndefined();
});

test("a turn that takes longer than all before is not held to have ended", () => {
  let nowMs = 0;
  const queue = new TurnQueue({ most: () => 1, onTurn: () => {}, nowMs: () => nowMs });
  for (const id of [1, 2, 3]) queue.ask(vm(id));
  nowMs = 1_000;
  queue.release(vm(1), { isDone: true });
  nowMs = 9_000;
  expect(queue.dueAtMs(1)).toBeGreaterThan(nowMs);
});

test("one that took ten times as long as the others is not what the rest is told by", () => {
  let nowMs = 0;
  const queue = new TurnQueue({ most: () => 1, onTurn: () => {}, nowMs: () => nowMs });
  for (let id = 1; id <= 8; id++) queue.ask(vm(id));
  for (const [index, tookMs] of [10_000, 1_000, 1_000, 1_000, 1_000].entries()) {
    nowMs += tookMs;
    queue.release(vm(index + 1), { isDone: true });
  }
  expect([1, 2, 3].map((place) => queue.dueAtMs(place))).toEqual([15_000, 16_000, undefined]);
});

test("a box that got quick again is believed after some turns", () => {
  let nowMs = 0;
  const queue = new TurnQueue({ most: () => 1, onTurn: () => {}, nowMs: () => nowMs });
  for (let id = 1; id <= 60; id++) queue.ask(vm(id));
  for (let id = 1; id <= 50; id++) {
    nowMs += id <= 30 ? 8_000 : 500;
    queue.release(vm(id), { isDone: true });
  }
  expect(queue.dueAtMs(2)).toBe(nowMs + 1_000);
});

test("in a storm of a hundred the estimates hold within a fifth from the first third on", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { ofWhole, ofRest } = playStorm({ count: 100, most: 4, seed });
    expect(ofWhole).toBeLessThan(0.1);
    expect(ofRest).toBeLessThan(0.2);
  }
});

/**
 * Starts of 2 s, a third more or less, and slower while the box warms up. Returns the worst part by which an
 * estimate was wrong: of the whole wait, and of what was left of it where that is 10 s and more. Nearer than
 * that, how long one single start takes is what counts, and nobody knows that.
 */
function playStorm(storm: { readonly count: number; readonly most: number; readonly seed: number }) {
  let nowMs = 0;
  let state = storm.seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const ends = new Map<VmId, number>();
  const turnAtMs = new Map<VmId, number>();
  const told: { readonly id: VmId; readonly atMs: number; readonly dueAtMs: number }[] = [];
  const begin = (id: VmId) => {
    turnAtMs.set(id, nowMs);
    const warmUpMs = turnAtMs.size <= 8 ? 600 : 0;
    ends.set(id, nowMs + warmUpMs + 2_000 * (0.67 + 0.66 * random()));
  };
  const queue = new TurnQueue({ most: () => storm.most, onTurn: begin, nowMs: () => nowMs });
  const ids = Array.from({ length: storm.count }, (_, index) => vm(index + 1));
  for (const id of ids) if (queue.ask(id) === 0) begin(id);
  while (ends.size > 0) {
    const [id, endMs] = [...ends].reduce((first, one) => (one[1] < first[1] ? one : first));
    nowMs = endMs;
    ends.delete(id);
    queue.release(id, { isDone: true });
    if (turnAtMs.size < storm.count / 3) continue;
    for (const waiting of ids.filter((one) => !turnAtMs.has(one))) {
      const dueAtMs = queue.dueAtMs(queue.ask(waiting));
      if (dueAtMs !== undefined) told.push({ id: waiting, atMs: nowMs, dueAtMs });
    }
  }
  expect(told.length).toBeGreaterThan(1_000);
  const errors = told.map(({ id, atMs, dueAtMs }) => {
    const turn = turnAtMs.get(id) ?? 0;
    return { wrongMs: Math.abs(dueAtMs - turn), wholeMs: turn, restMs: turn - atMs };
  });
  return {
    ofWhole: Math.max(...errors.map(({ wrongMs, wholeMs }) => wrongMs / wholeMs)),
    ofRest: Math.max(...errors.flatMap(({ wrongMs, restMs }) => (restMs < 10_000 ? [] : [wrongMs / restMs]))),
  };
}
