import { describe, expect, test } from "bun:test";
import { KINDS, listInstalled } from "./screen-server.ts";
import { listKnown } from "./tigervnc.ts";

describe("what serves the display", () => {
  test.each([
    [
      ["x11vnc", "X0tigervnc"],
      ["X0tigervnc", "x11vnc"],
    ],
    [["x11vnc"], ["x11vnc"]],
    [[], []],
  ])("of %p the image's are tried in the order %p", (installed, tried) => {
    const found = listInstalled(KINDS, (program) => installed.includes(program));
    expect(found.map(({ program }) => program)).toEqual(tried);
  });
});

test("options are given to versions that know them", () => {
  const help =
    "Parameters:\n  AlwaysShared - Always treat\n  SendCutText    - Send clipboard changes\n                   AcceptCutText too\n";
  expect(listKnown(["SendCutText", "AcceptCutText"], help)).toEqual(["SendCutText"]);
});
