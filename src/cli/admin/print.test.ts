import { describe, expect, test } from "bun:test";
import type { CommandIo } from "../command.ts";
import { printFacts, printTable } from "./print.ts";

function record(): { io: CommandIo; said: { out: string; err: string } } {
  const said = { out: "", err: "" };
  const io: CommandIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    env: {},
    isTerminal: false,
    signal: new AbortController().signal,
  };
  return { io, said };
}

describe("a table", () => {
  test("has columns as wide as their widest value, also of wide letters", () => {
    const { io, said } = record();
    printTable(
      io,
      ["ID", "NAME"],
      [
        ["1", "日本"],
        ["200", "x"],
      ],
    );
    expect(said.out).toBe("ID   NAME\n1    日本\n200  x\n");
  });

  test("of nothing prints nothing that a pipe would take for data", () => {
    const { io, said } = record();
    printTable(io, ["ID"], []);
    expect(said).toEqual({ out: "", err: "nothing to list\n" });
  });

  test("can't be made to drive the terminal", () => {
    const { io, said } = record();
    printTable(io, ["NAME"], [["a\u001b]0;title\u0007\nb"]]);
    expect(said.out).toBe("NAME\na?]0;title??b\n");
  });
});

test("facts without a value are left out", () => {
  const { io, said } = record();
  printFacts(io, [
    ["name", "ann"],
    ["node", null],
    ["blocked", "no"],
  ]);
  expect(said.out).toBe("name     ann\nblocked  no\n");
});
