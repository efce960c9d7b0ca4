import { describe, expect, test } from "bun:test";
import type { Command } from "./command.ts";
import { parseCommandArgs } from "./parse-args.ts";

const command: Command = {
  name: "thing do",
  summary: "Do a thing.",
  positionals: ["NAME", "[OTHER]"],
  options: {
    tag: { type: "text", doc: "" },
    json: { type: "flag", doc: "" },
  },
  run: async () => 0,
};
const parse = (...words: string[]) => parseCommandArgs(command, words);

describe("a command's words", () => {
  test("are positionals and options in any order", () => {
    expect(parse("--json", "a", "--tag", "t", "b")).toEqual({
      positionals: ["a", "b"],
      options: { json: true, tag: "t" },
    });
    expect(parse("a", "--tag=t").options).toEqual({ tag: "t" });
  });

  test("after -- are positionals, whatever they look like", () => {
    expect(parse("--", "--json").positionals).toEqual(["--json"]);
  });

  test.each([
    [[], /NAME is missing/],
    [["a", "b", "c"], /"c" is one argument too many/],
    [["a", "--nope"], /nope/],
    [["a", "--tag"], /tag/],
    [["a", "--json=yes"], /json/],
  ])("%p are refused with a sentence that names the help", (words, fault) => {
    const attempt = () => parse(...words);
    expect(attempt).toThrow(fault);
    expect(attempt).toThrow("`qvd thing do --help`");
  });
});
