import { describe, expect, test } from "bun:test";
import { asId, type VmId } from "../../domain/ids.ts";
import { formatWake, parseWake } from "./messages.ts";

describe("a wake", () => {
  test.each([
    { topic: "vm", vmId: asId<VmId>(7) },
    { topic: "vm" },
    { topic: "image" },
    { topic: "node" },
  ] as const)("%j is read as it was written", (wake) => expect(parseWake(formatWake(wake))).toEqual(wake));

  test.each([
    "",
    "{",
    "null",
    "[]",
    "7",
    '"vm"',
    "{}",
    '{"topic":"user"}',
    '{"topic":"vm","vmId":"7"}',
    '{"topic":"vm","vmId":0}',
    '{"topic":"vm","vmId":1.5}',
    '{"topic":"vm","vmId":null}',
  ])("is not %j", (line) => expect(parseWake(line)).toBeUndefined());

  test("keeps nothing that it doesn't know", () => {
    expect(parseWake('{"topic":"image","secret":"x"}')).toEqual({ topic: "image" });
  });
});
