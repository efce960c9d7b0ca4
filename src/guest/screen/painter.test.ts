import { afterEach, describe, expect, test } from "bun:test";
import { DrawnScreen, randomFrom } from "../../../test/support/drawn-screen.ts";
import { RfbPicture } from "../../../test/support/rfb-picture.ts";
import { Painter, type PainterOptions } from "./painter.ts";
import { TightPacker } from "./tight.ts";

const SIZE = { width: 200, height: 150 };
const packers: TightPacker[] = [];
afterEach(() => {
  for (const packer of packers.splice(0)) packer.close();
});

/** A viewer of a screen, and a clock in hand. */
function open(seed: number, options: Partial<PainterOptions> = {}) {
  const clock = { ms: 1000 };
  const packer = new TightPacker();
  packers.push(packer);
  const screen = new DrawnScreen(SIZE, randomFrom(seed));
  const defaults = { packer, photoQuality: 75, canCopy: true, rawFormat: undefined, now: () => clock.ms };
  const painter = new Painter({ ...SIZE, ...defaults, ...options });
  const viewer = new RfbPicture(SIZE.width, SIZE.height);
  const take = async (update: Buffer | undefined) => {
    if (update !== undefined) expect(await viewer.apply(update)).toBe(update.length);
    return update?.length ?? 0;
  };
  const show = async ({ damaged, moves } = screen.change()) =>
    await take(await painter.paint(screen.look([...damaged, ...painter.unknown], moves)));
  const rest = async () => {
    while (painter.hasLoss) {
      clock.ms += 1000;
      await take(await painter.refresh());
    }
  };
  return { screen, painter, viewer, clock, show, rest };
}

/** How many pixels the viewer has that aren't the screen's, of those that it should have exactly. */
function countWrong({ screen, viewer }: Pick<ReturnType<typeof open>, "screen" | "viewer">): number {
  let wrong = 0;
  for (let at = 0; at < screen.pixels.length; at++)
    if (viewer.lossy[at] === 0 && viewer.pixels[at] !== screen.pixels[at]) wrong++;
  return wrong;
}

describe("a viewer's picture", () => {
  test.each([
    ["with copies and photos", {}, 60],
    ["without photos", { photoQuality: undefined }, 30],
    ["without copies", { canCopy: false }, 20],
  ])(
    "is the screen's after any changes, %s",
    async (_how, options, seeds) => {
      for (let seed = 1; seed <= seeds; seed++) {
        const desk = open(seed, options);
        await desk.show({ damaged: [], moves: [] });
        for (let change = 0; change < 10; change++) {
          await desk.show();
          desk.clock.ms += 20;
          expect(countWrong(desk), `seed ${seed}, change ${change}`).toBe(0);
        }
        await desk.rest();
        expect(desk.viewer.lossy.includes(1), `seed ${seed}`).toBe(false);
        expect(countWrong(desk), `seed ${seed}`).toBe(0);
        for (const packer of packers.splice(0)) packer.close();
      }
    },
    120_000,
  );

  test("of text scrolled up or down is a copy and the new lines", async () => {
    for (const dy of [12, -12]) {
      const desk = open(7);
      await desk.show({ damaged: [], moves: [] });
      const before = { ...desk.viewer.seen };
      const bytes = await desk.show(desk.screen.scroll({ x: 20, y: 10, width: 150, height: 120 }, dy));
      expect(desk.viewer.seen).toEqual({ ...before, copy: before.copy + 1, palette: before.palette + 1 });
      expect(bytes).toBeLessThan(1_500);
      expect(countWrong(desk)).toBe(0);
    }
  });

  test("of text that is scrolled on, and by another step now and then, is a copy each time", async () => {
    const desk = open(7);
    await desk.show({ damaged: [], moves: [] });
    const place = { x: 20, y: 10, width: 150, height: 120 };
    for (const [times, dy] of [12, 12, 24, 12, -12, 24, 12].entries()) {
      const { damaged } = desk.screen.scroll(place, dy);
      // Something else changes beside it.
      if (times > 0) desk.screen.write({ x: 2, y: 30 + times, width: 5, height: 5 }, 2);
      const bytes = await desk.show({ damaged: [...damaged, { ...place, x: 2, width: 170 }], moves: [] });
      expect(bytes, `the ${times + 1}th`).toBeLessThan(3_000);
      expect(desk.viewer.seen.copy).toBe(times + 1);
      expect(countWrong(desk)).toBe(0);
    }
  });

  test("of text is a copy of all of it, though only a part was scrolled before", async () => {
    const desk = open(16);
    await desk.show({ damaged: [], moves: [] });
    await desk.show(desk.screen.scroll({ x: 30, y: 30, width: 100, height: 60 }, 12));
    const place = { x: 4, y: 4, width: 190, height: 140 };
    for (let time = 0; time < 5; time++) {
      const bytes = await desk.show(desk.screen.scroll(place, 12));
      expect(bytes, `the ${time + 1}th`).toBeLessThan(1_500);
      expect(countWrong(desk)).toBe(0);
    }
  });

  test("of text scrolled up or down past a line that changed is exact on both sides of it", async () => {
    for (const dy of [6, -6]) {
      const desk = open(15);
      await desk.show({ damaged: [], moves: [] });
      const told = desk.screen.scroll({ x: 0, y: 5, width: 200, height: 140 }, dy);
      desk.screen.write({ x: 0, y: 75, width: 200, height: 1 }, 2);
      await desk.show(told);
      expect(desk.viewer.seen.copy).toBe(2);
      expect(countWrong(desk)).toBe(0);
    }
  });

  test("of text that is scrolled where film was shown before is a copy by and by", async () => {
    const desk = open(14, { photoQuality: undefined });
    await desk.show({ damaged: [], moves: [] });
    const place = { x: 20, y: 10, width: 150, height: 120 };
    for (let picture = 0; picture < 20; picture++) {
      desk.screen.write(place, 0x1000000);
      await desk.show({ damaged: [place], moves: [] });
    }
    for (let picture = 0; picture < 10; picture++) {
      await desk.show(desk.screen.scroll(place, 12));
      expect(countWrong(desk)).toBe(0);
    }
    expect(desk.viewer.seen.copy).toBeGreaterThan(0);
  });

  test("of a window moved in both directions is a copy and what it uncovered", async () => {
    const desk = open(8);
    await desk.show({ damaged: [], moves: [] });
    const bytes = await desk.show(desk.screen.drag(11, 7));
    expect(desk.viewer.seen.copy).toBe(1);
    expect(bytes).toBeLessThan(2_000);
    expect(countWrong(desk)).toBe(0);
  });

  test("takes nothing where nothing changed", async () => {
    const desk = open(9);
    await desk.show({ damaged: [], moves: [] });
    expect(await desk.show({ damaged: [desk.screen.whole], moves: [] })).toBe(0);
  });

  test("is sent whole again when it is asked for", async () => {
    const desk = open(10);
    await desk.show({ damaged: [], moves: [] });
    desk.viewer.pixels.fill(1);
    desk.painter.forget(desk.screen.whole);
    await desk.show({ damaged: [], moves: [] });
    expect(countWrong(desk)).toBe(0);
  });

  test("is sent whole though parts of it were asked for often before it was", async () => {
    const desk = open(13);
    desk.screen.write(desk.screen.whole, 1);
    desk.viewer.pixels.fill(1);
    for (let asked = 0; asked < 20; asked++) desk.painter.forget({ x: asked, y: 0, width: 1, height: 1 });
    await desk.show({ damaged: [], moves: [] });
    expect(countWrong(desk)).toBe(0);
  });

  test("is without loss only once it has rested", async () => {
    const desk = open(11);
    await desk.show({ damaged: [], moves: [] });
    desk.screen.write({ x: 0, y: 0, width: 128, height: 128 }, 0x1000000);
    await desk.show({ damaged: [desk.screen.whole], moves: [] });
    expect(desk.viewer.seen.jpeg).toBe(1);
    desk.clock.ms += 200;
    expect(await desk.painter.refresh()).toBeUndefined();
    await desk.rest();
    expect(desk.viewer.lossy.includes(1)).toBe(false);
    expect(countWrong(desk)).toBe(0);
  });

  test("is in the viewer's own pixels for one that knows nothing else", async () => {
    const channel = (shift: number) => ({ most: 255, shift });
    const format = { bytesPerPixel: 4, isBigEndian: false };
    const rawFormat = { ...format, red: channel(16), green: channel(8), blue: channel(0) };
    const desk = open(12, { rawFormat, canCopy: false });
    await desk.show({ damaged: [], moves: [] });
    await desk.show();
    expect(countWrong(desk)).toBe(0);
    expect(desk.viewer.seen).toMatchObject({ palette: 0, full: 0, jpeg: 0, copy: 0 });
  });
});
