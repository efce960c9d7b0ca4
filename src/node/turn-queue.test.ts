import { expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { TurnQueue } from "./turn-queue.ts";

const vm = (id: number) => asId<VmId>(id);

function queueOf(most: number) {
  const turns: VmId[] = [];
  return { queue: new TurnQueue({ most, onTurn: (vmId) => turns.push(vmId), nowMs: () => 0 }), turns };
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
