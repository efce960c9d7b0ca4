import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../lib/wait.ts";
import { createAgentGates } from "./agent-gate.ts";

const folder = mkdtempSync(join(tmpdir(), "agent-gate-"));
const gates = createAgentGates();
const uid = process.getuid?.() ?? 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As a desktop's init does, but that it says when it is there; what it reads is `went`. */
function waitAt(path: string) {
  const child = Bun.spawn(
    ["sh", "-c", 'echo here; read -r word 2>/dev/null <"$1"; echo "went:$word"', "sh", path],
    {
      stdout: "pipe",
    },
  );
  const reader = child.stdout.getReader();
  const next = async () => new TextDecoder().decode((await reader.read()).value);
  return { child, next };
}

function listOpen(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
}

test("whoever waits goes when it is opened, and nobody waits after that", async () => {
  const path = join(folder, "one");
  const open = gates.shut(path, uid);
  const { next } = waitAt(path);
  expect(await next()).toBe("here\n");
  open();
  open();
  expect(await next()).toBe("went:\n");
  expect(existsSync(path)).toBe(false);
  const late = waitAt(path);
  expect(await late.next()).toStartWith("here\n");
  expect(await late.child.exited).toBe(0);
});

test("anything written to it lets one through", async () => {
  const path = join(folder, "two");
  const open = gates.shut(path, uid);
  const { next } = waitAt(path);
  expect(await next()).toBe("here\n");
  await Bun.spawn(["sh", "-c", 'echo >"$1"', "sh", path]).exited;
  expect(await next()).toBe("went:\n");
  open();
});

test("one that its desktop has filled is opened all the same", async () => {
  const path = join(folder, "full");
  const open = gates.shut(path, uid);
  const file = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const fill = () => writeSync(file, Buffer.alloc(4_096));
  try {
    expect(() => {
      for (;;) fill();
    }).toThrow("EAGAIN");
    open();
    expect(existsSync(path)).toBe(false);
  } finally {
    closeSync(file);
  }
});

test("it ends with the process that shut it", async () => {
  const path = join(folder, "three");
  const keeper = Bun.spawn(
    [
      process.execPath,
      "-e",
      `require("${import.meta.dir}/agent-gate.ts").createAgentGates().shut("${path}", ${uid}); console.log("shut"); setInterval(() => {}, 1000);`,
    ],
    { stdout: "pipe" },
  );
  const reader = keeper.stdout.getReader();
  await reader.read();
  const { child, next } = waitAt(path);
  expect(await next()).toBe("here\n");
  // Whoever comes after its end is let through by the next process.
  const isAtIt = () => listOpen(child.pid).includes(path);
  expect(await waitFor(isAtIt, { timeoutMs: 10_000, everyMs: 5 })).toBe(true);
  keeper.kill("SIGKILL");
  expect(await next()).toBe("went:\n");
});

test("one that was left by a killed process is opened for whoever comes to it after", async () => {
  const path = join(folder, "four");
  Bun.spawnSync(["mkfifo", path]);
  const { next } = waitAt(path);
  expect(await next()).toBe("here\n");
  gates.openLeft(path);
  gates.openLeft(path);
  expect(await next()).toBe("went:\n");
});
