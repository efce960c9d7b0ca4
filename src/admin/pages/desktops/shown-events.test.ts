import { expect, test } from "bun:test";
import { eventsParam, MOST_EVENTS, parseShownEvents } from "./shown-events.ts";

const ASKED: readonly (readonly [string | undefined, number])[] = [
  [undefined, 15],
  ["", 15],
  ["-3", 15],
  ["1e9", MOST_EVENTS],
  ["65", 65],
  ["65.5", 15],
  ["all of them", 15],
];
for (const [text, count] of ASKED)
  test(`${text} in the address shows ${count} steps`, () => expect(parseShownEvents(text)).toBe(count));

test("the address stays short and never asks for too many", () => {
  expect(eventsParam(15).events).toBeUndefined();
  expect(eventsParam(65).events).toBe(65);
  expect(eventsParam(9999).events).toBe(MOST_EVENTS);
});
