import { expect, test } from "bun:test";
import { SERVER_REST, ServerHealth } from "./server-health.ts";

function create() {
  const time = { ms: 1_000 };
  return { time, health: new ServerHealth({ nowMs: () => time.ms, monotonicMs: () => time.ms }) };
}

test("a server that failed is left alone longer each time, up to the bound, and says what was wrong", () => {
  const { time, health } = create();
  const rests: number[] = [];
  for (let round = 0; round < 8; round++) {
    health.noteFailure("a", { name: "ldaps://a", text: `failure ${round}` });
    expect(health.restsFor("a")).toBe(`failure ${round}`);
    const startMs = time.ms;
    while (health.restsFor("a") !== undefined) time.ms += 100;
    rests.push(time.ms - startMs);
  }
  expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  expect(health.restsFor("b")).toBeUndefined();
  expect(health.list()).toEqual([]);
  health.noteFailure("a", { name: "ldaps://a", text: "gone" });
  expect(health.list()).toEqual([{ name: "ldaps://a", text: "gone" }]);
});

test("several failures at once are one, and a success forgets them all", () => {
  const { time, health } = create();
  for (let n = 0; n < 20; n++) health.noteFailure("a", { name: "ldaps://a", text: "gone" });
  time.ms += 1_001;
  expect(health.restsFor("a")).toBeUndefined();
  health.noteSuccess("a");
  health.noteFailure("a", { name: "ldaps://a", text: "gone again" });
  time.ms += 1_001;
  expect(health.restsFor("a")).toBeUndefined();
});

test("a bounded number of servers is remembered", () => {
  const { health } = create();
  for (let n = 0; n <= SERVER_REST.mostServers; n++)
    health.noteFailure(`${n}`, { name: "ldaps://a", text: "gone" });
  expect(health.restsFor("0")).toBeUndefined();
  expect(health.restsFor(`${SERVER_REST.mostServers}`)).toBe("gone");
});
