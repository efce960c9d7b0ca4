import { expect, test } from "bun:test";
import { parseKeyMap } from "./key-map.ts";

const PRINTED = `There are 7 KeySyms per KeyCode; KeyCodes range from 8 to 255.

    KeyCode\tKeysym (Keysym)\t...
    Value  \tValue   (Name) \t...

      9    \t0xff1b (Escape)\t
     11    \t0x0032 (2)\t0x0040 (at)\t
     93    \t
     94    \t0x003c (less)\t0x003e (greater)\t0x007c (bar)\t
     95    \t0x1006f22 (U6F22)\t0x1006f22 (U6F22)\t
    255    \t
`;

test("reads what keys give, and which give nothing", () => {
  const { plain, shifted, spare } = parseKeyMap(PRINTED);
  expect([...plain]).toEqual([0xff1b, 0x32, 0x3c, 0x1006f22]);
  expect([...shifted]).toEqual([0xff1b, 0x40, 0x3e, 0x1006f22]);
  expect(spare).toEqual([93, 255]);
});

test("takes nothing from what is no map", () => {
  expect(parseKeyMap("xmodmap:  unable to open display ':100'\n").spare).toEqual([]);
});
