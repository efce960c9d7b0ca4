import { describe, expect, test } from "bun:test";
import { chooseSize, readScreen } from "./programs.ts";

const size = (text: string) => {
  const [width = 0, height = 0] = text.split("x").map(Number);
  return { width, height };
};

describe("what xrandr says", () => {
  test("is read as what new clients are told, and what is shown", () => {
    const said = `Screen 0: minimum 320 x 240, current 1000 x 700, maximum 1920 x 1200
NX1 connected 999x700+0+0 0mm x 0mm
   nx_960x600    60.00
   qvd-999x700   85.18*`;
    expect(readScreen(said)).toEqual({
      output: "NX1",
      told: size("1000x700"),
      shown: size("999x700"),
      modes: ["qvd-999x700"],
    });
  });

  test("is nothing without a screen, and a size of none where it shows nothing", () => {
    expect(readScreen("Can't open display :100")).toBeUndefined();
    const said =
      "Screen 0: minimum 320 x 240, current 1000 x 700, maximum 1920 x 1200\nNX1 connected primary";
    expect(readScreen(said)?.shown).toEqual(size("0x0"));
  });
});

describe("the size that is taken", () => {
  test.each([
    ["is the wanted one", "800x600", "1000x700", "1000x700", false, "800x600"],
    ["is kept where it is so already", "800x600", "1000x700", "800x600", false, undefined],
    ["misses what X takes for no change", "1000x700", "1000x700", "800x600", false, "999x700"],
    ["is the wanted one for a newcomer, too", "800x600", "1000x700", "1000x700", true, "800x600"],
    ["is kept where a newcomer is told the truth", "1000x700", "1000x700", "1000x700", true, undefined],
    ["changes for a newcomer who is told another", "800x600", "1000x700", "800x600", true, "799x600"],
    ["changes for a newcomer where it was missed before", "1000x700", "1000x700", "999x700", true, "998x700"],
    ["passes by what a newcomer is told", "800x600", "799x600", "800x600", true, "798x600"],
  ])("%s", (_, wanted, told, shown, hasNewcomer, next) => {
    const found = chooseSize(size(wanted), { told: size(told), shown: size(shown) }, hasNewcomer);
    expect(found).toEqual(next === undefined ? undefined : size(next));
  });
});
