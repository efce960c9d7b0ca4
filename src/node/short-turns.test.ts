import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { runOk } from "../lib/run.ts";
import { TURN_NS } from "./short-turns.ts";

/** Of kernels that tell it; they are those that have turns of a process's own. */
const hasTurns = /^se\.slice\b/m.test(readFileSync("/proc/self/sched", "utf8"));

const PROGRAM = `
import { readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { takeShortTurns } from ${JSON.stringify(`${import.meta.dir}/short-turns.ts`)};
setPriority(3);
takeShortTurns();
const read = (file) => readFileSync(file, "utf8");
const threads = readdirSync("/proc/self/task").map((thread) => read("/proc/self/task/" + thread + "/sched"));
const child = Bun.spawnSync(["cat", "/proc/self/sched", "/proc/self/stat"]).stdout.toString();
const turnOf = (text) => Number(/^se\\.slice\\s*:\\s*(\\d+)/m.exec(text)?.[1]);
console.log(JSON.stringify({ own: threads.map(turnOf), child: turnOf(child), nice: Number(child.trim().split(" ").at(-34)) }));
`;

test("a process and all that it starts have short turns, and their standing as before", async () => {
  const said = await runOk("taking short turns", [process.execPath, "--eval", PROGRAM]);
  const { own, child, nice } = JSON.parse(said);
  const turn = hasTurns ? TURN_NS : null;
  expect([...new Set(own)]).toEqual([turn]);
  expect({ child, nice }).toEqual({ child: turn, nice: 3 });
});
