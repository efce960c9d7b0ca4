import { expect, test } from "bun:test";
import { isLeftForGood } from "./is-left-for-good.ts";

test.each(["signed-out", "superseded", "ended-by-administrator", "desktop-stopped", "blocked"])(
  "a client does not come back by itself when the session's end was %s",
  (cause) => {
    expect(isLeftForGood(cause)).toBe(true);
  },
);

test.each([
  "broker-lost",
  "broker-replaced",
  "broker-stopped",
  "node-lost",
  "node-drained",
  "client-left",
  "database-away",
  "something that a newer QVD wrote",
])("a client comes back when it was %s", (cause) => {
  expect(isLeftForGood(cause)).toBe(false);
});
