import { expect, test } from "bun:test";
import { ageMsOf, readProcess } from "./processes.ts";

test("tells a process's age, to a tick or two", () => {
  const own = readProcess(process.pid);
  const first = readProcess(1);
  if (own === undefined || first === undefined) throw new Error("this process or the first has no entry");
  const child = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
  const young = readProcess(child.pid);
  child.kill("SIGKILL");
  if (young === undefined) throw new Error("the child has no entry");
  expect(ageMsOf(young)).toBeLessThan(1_000);
  expect(ageMsOf(young)).toBeGreaterThan(-100);
  expect(ageMsOf(own)).toBeGreaterThanOrEqual(ageMsOf(young) - 20);
  expect(ageMsOf(first)).toBeGreaterThanOrEqual(ageMsOf(own) - 20);
});
