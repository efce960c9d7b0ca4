import { expect, test } from "bun:test";
import { formatSide, parseSide } from "./side.ts";

test("a connection says which of a viewer's two it is", () => {
  for (const name of ["viewer", "server"] as const) {
    const line = formatSide(name, 999_999_999);
    for (let end = 0; end < line.length; end++)
      expect(parseSide(Buffer.from(line.slice(0, end)))).toBeUndefined();
    const said = parseSide(Buffer.from(`${line}RFB 003.008\n and more`));
    expect(said).toEqual({ name, pair: 999_999_999, bytes: line.length });
  }
});

test("anything else is nobody", () => {
  expect(() => parseSide(Buffer.from("viewer of something else\n"))).toThrow("neither");
});
