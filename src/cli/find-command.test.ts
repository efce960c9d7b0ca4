import { describe, expect, test } from "bun:test";
import type { CommandEntry } from "./commands.ts";
import { findCommand } from "./find-command.ts";

const entries: CommandEntry[] = ["node run", "node status", "vm list", "vm stop", "migrate", "version"].map(
  (name) => ({
    name,
    summary: "",
    load: () => Promise.reject(new Error("not loaded to be found")),
  }),
);
const nameOf = (words: readonly string[]) => {
  const found = findCommand(entries, words);
  return found.kind === "command" ? [found.entry.name, found.rest] : found.kind;
};

describe("a command", () => {
  test("is found by two words or one, and the rest is its own", () => {
    expect(nameOf(["vm", "list", "--json"])).toEqual(["vm list", ["--json"]]);
    expect(nameOf(["migrate"])).toEqual(["migrate", []]);
    expect(nameOf(["version", "extra"])).toEqual(["version", ["extra"]]);
  });

  test("is not looked for behind an option", () => {
    expect(nameOf(["vm", "--json", "list"])).toBe("group");
  });

  test("is a group when its first word begins several", () => {
    const found = findCommand(entries, ["node"]);
    expect(found).toMatchObject({ kind: "group", entries: [{ name: "node run" }, { name: "node status" }] });
  });

  test.each([
    [["node", "stauts"], "node status"],
    [["nod", "status"], "node status"],
    [["vm", "lst"], "vm list"],
    [["migrat"], "migrate"],
  ])("that is misspelled as %p is suggested as %p", (words, wanted) => {
    const found = findCommand(entries, words);
    expect(found.kind === "unknown" && found.suggestions[0]).toBe(wanted);
  });

  test("that resembles nothing gets no suggestion", () => {
    expect(findCommand(entries, ["frobnicate", "everything"])).toMatchObject({
      kind: "unknown",
      suggestions: [],
    });
  });
});
