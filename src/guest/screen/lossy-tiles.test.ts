import { describe, expect, test } from "bun:test";
import { LossyTiles } from "./lossy-tiles.ts";
import { holds } from "./rectangle.ts";

describe("what was sent with loss", () => {
  test("is taken once it has rested, in whole tiles that end with the screen", () => {
    const tiles = new LossyTiles(100, 50);
    expect(tiles.isEmpty).toBe(true);
    const place = { x: 70, y: 40, width: 30, height: 10 };
    tiles.note(place, 1000);
    expect(tiles.takeRested(999, 100)).toEqual([]);
    const taken = tiles.takeRested(1000, 100);
    expect(taken).toEqual([{ x: 64, y: 32, width: 36, height: 18 }]);
    expect(taken.every((one) => holds(one, place))).toBe(true);
    expect(tiles.isEmpty).toBe(true);
  });

  test("is taken by and by where it is much", () => {
    const tiles = new LossyTiles(320, 320);
    tiles.note({ x: 0, y: 0, width: 320, height: 320 }, 5);
    let [goes, area] = [0, 0];
    while (!tiles.isEmpty) {
      goes++;
      for (const { width, height } of tiles.takeRested(5, 30)) area += width * height;
    }
    expect(goes).toBe(4);
    expect(area).toBe(320 * 320);
  });

  test("is so wherever it is copied to", () => {
    const tiles = new LossyTiles(320, 320);
    tiles.note({ x: 0, y: 0, width: 32, height: 32 }, 5);
    tiles.copy({ x: 200, y: 200, width: 20, height: 20 }, -200, -200, 7);
    tiles.copy({ x: 100, y: 100, width: 20, height: 20 }, 64, 64, 7);
    expect(tiles.takeRested(5, 100)).toEqual([{ x: 0, y: 0, width: 32, height: 32 }]);
    expect(tiles.takeRested(7, 100)).toEqual([{ x: 192, y: 192, width: 32, height: 32 }]);
    expect(tiles.isEmpty).toBe(true);
  });

  test("rests anew when it is sent with loss again", () => {
    const tiles = new LossyTiles(64, 64);
    tiles.note({ x: 0, y: 0, width: 10, height: 10 }, 5);
    tiles.note({ x: 0, y: 0, width: 10, height: 10 }, 50);
    expect(tiles.takeRested(20, 100)).toEqual([]);
    expect(tiles.takeRested(50, 100)).toHaveLength(1);
  });
});
