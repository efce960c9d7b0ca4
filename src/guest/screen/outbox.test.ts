import { expect, test } from "bun:test";
import { Outbox } from "./outbox.ts";

/** Takes as much as there is room for. */
function openSocket(room: number) {
  const state = { room, taken: Buffer.alloc(0) };
  const write = (bytes: Uint8Array) => {
    const part = bytes.subarray(0, state.room);
    state.room -= part.length;
    state.taken = Buffer.concat([state.taken, part]);
    return part.length;
  };
  return { state, write };
}

test("what a socket doesn't take comes later, all of it and in order", () => {
  const { state, write } = openSocket(4);
  const outbox = new Outbox({ write });
  for (const word of ["one ", "two ", "three"]) outbox.send(Buffer.from(word));
  expect([outbox.isEmpty, `${state.taken}`]).toEqual([false, "one "]);
  while (!outbox.isEmpty) {
    state.room = 2;
    outbox.drain();
  }
  outbox.send(Buffer.alloc(0));
  expect(`${state.taken}`).toBe("one two three");
});

test("whoever lets too much pile up is told of", () => {
  const outbox = new Outbox(openSocket(0));
  const piece = Buffer.alloc(16 * 1024 * 1024);
  expect(() => {
    for (let sent = 0; sent < 5; sent++) outbox.send(piece);
  }).toThrow("doesn't take");
});

test("so is whoever lets too many small pieces pile up", () => {
  const outbox = new Outbox(openSocket(0));
  const bell = Buffer.of(2);
  expect(() => {
    for (let sent = 0; sent < 200_000; sent++) outbox.send(bell);
  }).toThrow("doesn't take");
});
