import { beforeAll, describe, expect, test } from "bun:test";
import { END_CAUSES } from "../../../domain/session/end-cause.ts";
import { isLeftForGood } from "../../../domain/session/is-left-for-good.ts";

type Told = { readonly title: string; readonly text: string; readonly again?: string };
let describeEnd: (message: Readonly<Record<string, string>>) => Told;
beforeAll(async () => {
  // The page's scripts have no types.
  const name = "./ends.js";
  ({ describeEnd } = await import(name));
});

/** After these the page asks once more, and is told what is wrong if it still is. */
const ASKED_AGAIN = ["desktop-closed", "forbidden"];

describe("an end that the page is told", () => {
  test.each(Object.keys(END_CAUSES))("%s: comes back by itself where a client does", (cause) => {
    const isFinal = isLeftForGood(cause) && !ASKED_AGAIN.includes(cause);
    expect(describeEnd({ type: "ended", cause }).again !== undefined).toBe(isFinal);
  });

  test.each([
    ["signed-out", "Open again"],
    ["desktop-stopped", "Open again"],
    ["superseded", "Open here"],
    ["blocked", "Try again"],
  ])("%s: the button says %s", (cause, again) => {
    expect(describeEnd({ type: "ended", cause }).again).toBe(again);
  });

  test("which says that the desktop goes on only where it does", () => {
    expect(describeEnd({ type: "ended", cause: "broker-lost" }).text).toContain("the desktop goes on");
    expect(describeEnd({ type: "ended", cause: "desktop-closed" }).text).not.toContain("goes on");
  });

  test("a refusal has its own words", () => {
    const told = describeEnd({ type: "refused", text: "No room." });
    expect(told).toEqual({ title: "Not possible now", text: "No room.", again: "Try again" });
  });

  test("a cause of a newer broker is a break", () => {
    const told = describeEnd({ type: "ended", cause: "constructor" });
    expect(told).toEqual({
      title: "Connecting again",
      text: "The connection was lost; the desktop goes on.",
    });
  });
});
