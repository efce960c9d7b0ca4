import { describe, expect, test } from "bun:test";
import {
  fitScreen,
  formatDisplayLine,
  MOST_CLIPBOARD,
  NX_SCREEN,
  parseDisplayNews,
  parseDisplayOrder,
  parseScreenSize,
} from "./control.ts";
import { formatDisplayHello, formatDisplayRefusal, parseDisplayHello } from "./hello.ts";

describe("the hello of the display door", () => {
  for (const hello of [
    { key: "k3y", channel: "rfb", argument: "" },
    { key: "a+b/c==", channel: "upload", argument: '{"name":"año nuevo €.txt"}' },
  ] as const)
    test(`is read as it was written: ${hello.channel}`, () => {
      const line = formatDisplayHello(hello);
      expect(line).toEndWith("\n");
      expect(parseDisplayHello(line.trimEnd())).toEqual(hello);
    });

  for (const line of [
    "",
    "GET / HTTP/1.1",
    "QVD-DISPLAY/2 key rfb",
    "QVD-DISPLAY/1  rfb",
    "QVD-DISPLAY/1 key shell",
    "QVD-DISPLAY/1 key rfb ../..",
    `QVD-DISPLAY/1 ${"k".repeat(129)} rfb`,
    "QVD-DISPLAY/1 key rfb\n",
  ])
    test(`is refused: ${JSON.stringify(line.slice(0, 40))}`, () => {
      expect(parseDisplayHello(line)).toBeUndefined();
    });

  test("refuses in one line, whatever the reason holds", () => {
    expect(formatDisplayRefusal("no\nOK\r\n\u0000x")).toBe("NO no OK x\n");
  });
});

describe("orders about the screen", () => {
  test("are read as they were written", () => {
    for (const order of [
      { type: "resize", width: 1200, height: 800 },
      { type: "share-clipboard", isShared: true },
      { type: "clipboard", text: "ñ 漢\n€ \u0000" },
    ] as const)
      expect(parseDisplayOrder(formatDisplayLine(order).trimEnd())).toEqual(order);
    const news = { type: "clipboard", text: "copied" } as const;
    expect(parseDisplayNews(formatDisplayLine(news).trimEnd())).toEqual(news);
  });

  for (const line of ["", "7", "null", "[]", "{", '{"type":"resize"}', '{"type":"resize","width":"1"}'])
    test(`are none: ${line}`, () => expect(parseDisplayOrder(line)).toBeUndefined());

  test("are none where a clipboard is too long, and news from a desktop are nothing else", () => {
    const text = "x".repeat(MOST_CLIPBOARD + 1);
    expect(parseDisplayOrder(JSON.stringify({ type: "clipboard", text }))).toBeUndefined();
    expect(parseDisplayNews(JSON.stringify({ type: "clipboard", text }))).toBeUndefined();
    expect(parseDisplayNews('{"type":"resize","width":1,"height":1}')).toBeUndefined();
  });

  test("keep within what X allows", () => {
    expect(fitScreen({ width: 9000, height: 10 })).toEqual({ width: 7680, height: 240 });
    // Two monitors beside each other; then two larger ones, of which no server shall hold every pixel.
    expect(fitScreen({ width: 5120, height: 1440 })).toEqual({ width: 5120, height: 1440 });
    const { width, height } = fitScreen({ width: 7680, height: 2160 });
    expect(width * height).toBeLessThanOrEqual(3840 * 2400);
    expect([width / height, width * height > 9e6]).toEqual([expect.closeTo(7680 / 2160, 2), true]);
    expect(fitScreen({ width: 5000, height: 10 }, NX_SCREEN)).toEqual({ width: 1920, height: 240 });
    expect(fitScreen({ width: Number.NaN, height: 600.4 })).toEqual({ width: 320, height: 600 });
  });

  test("take a size as clients write it", () => {
    expect(parseScreenSize("1024x768")).toEqual({ width: 1024, height: 768 });
    for (const text of ["", "0x10", "1024", "1024x768x2", "-1x5"])
      expect(parseScreenSize(text)).toBeUndefined();
  });
});
