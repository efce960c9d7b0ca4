import { expect, test } from "bun:test";
import { createProgressLine, describeProgress } from "./progress-line.ts";

function record(isTerminal: boolean) {
  const said: string[] = [];
  return { said, line: createProgressLine({ err: (text) => void said.push(text), isTerminal }, "sending x") };
}

test("progress that nobody watches is a line each tenth", () => {
  const { said, line } = record(false);
  for (let done = 0; done <= 100e6; done += 1e6) line.show(done, 100e6);
  line.finish();
  expect(said).toHaveLength(11);
  expect(said[5]).toBe("sending x: 50 of 100 MB (50 %)\n");
});

test("progress on a terminal rewrites its line and ends it once", () => {
  const { said, line } = record(true);
  line.show(5e6, null);
  line.show(6e6, null);
  line.finish();
  line.finish();
  expect(said).toEqual(["\rsending x: 5 MB\u001b[K", "\rsending x: 6 MB\u001b[K", "\n"]);
});

test("progress towards an unknown end is a line each hundred megabytes", () => {
  const { said, line } = record(false);
  for (let done = 0; done <= 250e6; done += 10e6) line.show(done, null);
  expect(said).toEqual(["sending x: 0 MB\n", "sending x: 100 MB\n", "sending x: 200 MB\n"]);
});

test("a small file is told in kilobytes, and a whole one is whole", () => {
  expect(describeProgress(2_000, 6_100)).toBe("2 of 7 kB (32 %)");
  expect(describeProgress(6_100, 6_100)).toBe("7 of 7 kB (100 %)");
});
