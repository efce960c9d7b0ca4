import { afterEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { waitFor } from "../../lib/wait.ts";
import { LogFollower } from "./log-follower.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function setUp(text = "") {
  const folder = mkdtempSync("/tmp/qvd-log-follower-");
  folders.push(folder);
  const path = `${folder}/log`;
  writeFileSync(path, text);
  const lines: string[] = [];
  const follower: LogFollower = new LogFollower(
    path,
    (line) => void lines.push(line),
    () => follower.read(),
  );
  return { path, lines, follower };
}

describe("LogFollower", () => {
  test("reads what was there before", () => {
    const { follower, lines } = setUp("one\ntwo\nthr");
    follower.read();
    expect(lines).toEqual(["one", "two"]);
    follower.close();
  });

  test("is woken by each burst to its very end", async () => {
    const { follower, lines, path } = setUp();
    const log = openSync(path, "a");
    for (let burst = 1; burst <= 20; burst++) {
      // Written in pieces, as nxagent does.
      const script = "for part in a b c d e f g; do echo -n $part; done; echo";
      await Bun.spawn(["sh", "-c", script], { stdio: ["ignore", log, "ignore"] }).exited;
      expect(await waitFor(() => lines.length === burst, { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
    }
    follower.close();
  });

  test("begins again with a log that was emptied", () => {
    const { follower, lines, path } = setUp("one\n");
    follower.read();
    truncateSync(path);
    follower.read();
    appendFileSync(path, "two\n");
    follower.read();
    expect(lines).toEqual(["one", "two"]);
    follower.close();
  });

  test("empties a log that grows without end, and misses no line of it", () => {
    const { follower, lines, path } = setUp();
    const log = openSync(path, "a");
    for (let part = 0; part < 11; part++) {
      // Each ends within a line.
      writeSync(log, `${part} begins\n${"x".repeat(1024 * 1024)}\n${part} en`);
      follower.read();
      writeSync(log, "ds\n");
    }
    follower.read();
    closeSync(log);
    expect(statSync(path).size).toBeLessThan(5 * 1024 * 1024);
    const short = lines.filter((line) => /^\d/.test(line));
    expect(short).toEqual(Array.from({ length: 11 }, (_, part) => [`${part} begins`, `${part} ends`]).flat());
    follower.close();
  });

  test("reads no more than the tail of a long log, and keeps the last lines only", () => {
    const { follower, lines } = setUp("x".repeat(99).concat("\n").repeat(2_000));
    follower.read();
    expect(lines.length).toBeLessThan(700);
    expect(follower.lastLines.length).toBeLessThanOrEqual(60);
    follower.close();
  });

  test("says nothing after its close", () => {
    const { follower, lines, path } = setUp();
    follower.close();
    follower.close();
    appendFileSync(path, "late\n");
    follower.read();
    expect(lines).toEqual([]);
  });
});
