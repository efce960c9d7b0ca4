import { describe, expect, test } from "bun:test";
import { PrintAttributes } from "./print-request.ts";

const HEAD = [2, 0, 0, 2, 0, 0, 0, 1];
const END = 3;
const text = (value: string) => [value.length >> 8, value.length & 255, ...Buffer.from(value)];
const attribute = (name: string, value: string, tag = 0x44) => [tag, ...text(name), ...text(value)];
const operation = [1, ...attribute("attributes-charset", "utf-8", 0x47)];
const job = [2, ...attribute("sides", "two-sided")];
const subscription = [6, ...attribute("notify-events", "job-completed")];

describe("the attributes of a print request", () => {
  const cases: readonly [what: string, bytes: readonly number[], verdict: string][] = [
    ["a job's", [...operation, ...job, END], "allowed"],
    ["a document after them, whatever it says", [...operation, END, ...subscription], "allowed"],
    ["a value that looks like a group", [...operation, ...attribute("job-name", "\x06\x03"), END], "allowed"],
    ["a subscription", [...operation, ...subscription, END], "refused"],
    ["a subscription after the job's", [...operation, ...job, ...subscription, END], "refused"],
    ["a group without attributes", [...operation, 6, END], "refused"],
    ["a group that is not invented yet", [...operation, 0x0f, END], "refused"],
    ["a tag that a longer one follows", [...operation, 0x7f, 0, 0, 0, 6, END], "refused"],
    ["news sent somewhere", [...operation, ...attribute("notify-recipient-uri", "rss://x"), END], "refused"],
    [
      "the same as a member of a collection",
      [...operation, ...attribute("", "notify-recipient-uri", 0x4a), END],
      "refused",
    ],
    ["none yet", [], "more"],
    ["attributes without their end", [...operation, ...job], "more"],
    ["a value that is cut short", [...operation, 0x44, 0, 1, 65, 0, 9, END, END], "more"],
    [
      "more than a job needs",
      [...operation, ...attribute("x", "y".repeat(32_000)), ...attribute("", "y".repeat(32_000))]
        .concat(attribute("", "y".repeat(32_000)))
        .concat(END),
      "refused",
    ],
  ];
  test.each(cases)("%s", (_what, bytes, verdict) => {
    expect(new PrintAttributes().judge(Buffer.from([...HEAD, ...bytes]))).toBe(verdict as "allowed");
  });

  test("are judged alike however they come", () => {
    for (const [bytes, verdict] of [
      [[...operation, ...job, END], "allowed"],
      [[...operation, ...job, ...subscription], "refused"],
    ] as const) {
      const [all, attributes] = [Buffer.from([...HEAD, ...bytes]), new PrintAttributes()];
      let said = attributes.judge(all.subarray(0, 0));
      for (let size = 1; size <= all.length && said === "more"; size++)
        said = attributes.judge(all.subarray(0, size));
      expect(said).toBe(verdict);
    }
  });
});
