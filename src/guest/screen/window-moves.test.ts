import { describe, expect, test } from "bun:test";
import { WindowMoves } from "./window-moves.ts";

const ROOT = 1;

function configured(window: number, x: number, y: number, border = 0): Buffer {
  const event = Buffer.alloc(32);
  event.writeUInt8(22, 0);
  event.writeUInt32LE(ROOT, 4);
  event.writeUInt32LE(window, 8);
  event.writeInt16LE(x, 16);
  event.writeInt16LE(y, 18);
  event.writeUInt16LE(40, 20);
  event.writeUInt16LE(30, 22);
  event.writeUInt16LE(border, 24);
  return event;
}

function gone(window: number): Buffer {
  const event = configured(window, 0, 0);
  event.writeUInt8(17, 0);
  return event;
}

describe("windows that were moved", () => {
  test("are told from the look before to now, however often they were moved between", () => {
    const moves = new WindowMoves();
    moves.observe(configured(7, 10, 10), ROOT);
    expect(moves.take()).toEqual([]);
    moves.observe(configured(7, 15, 11), ROOT);
    moves.observe(configured(7, -3, 12, 2), ROOT);
    expect(moves.take()).toEqual([{ to: { x: -3, y: 12, width: 44, height: 34 }, dx: 13, dy: -2 }]);
    expect(moves.take()).toEqual([]);
  });

  test("are forgotten when they are gone, and the root's size is no move", () => {
    const moves = new WindowMoves();
    for (const window of [ROOT, 7]) moves.observe(configured(window, 1, 1), ROOT);
    moves.take();
    moves.observe(gone(7), ROOT);
    for (const window of [ROOT, 7]) moves.observe(configured(window, 9, 9), ROOT);
    expect(moves.take()).toEqual([]);
  });

  test("are no more than what is remembered of", () => {
    const moves = new WindowMoves();
    for (const place of [1, 2])
      for (let window = 10; window < 1_010; window++) moves.observe(configured(window, place, 1), ROOT);
    moves.take();
    for (let window = 10; window < 1_010; window++) moves.observe(configured(window, 3, 1), ROOT);
    expect(moves.take().length).toBeLessThanOrEqual(256);
  });
});
