import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import {
  endProcess,
  findCgroupRoot,
  isProcessRunning,
  type ProcessIdentity,
  readProcessIdentity,
  signalProcess,
  spawnDetached,
} from "./process.ts";
import { waitFor } from "./wait.ts";

const folder = mkdtempSync(`${tmpdir()}/qvd-process-`);
const started: ProcessIdentity[] = [];

function start(command: readonly string[], onExit?: () => void): ProcessIdentity {
  const identity = spawnDetached({
    command,
    logFile: `${folder}/log`,
    ...(onExit === undefined ? {} : { onExit }),
  });
  started.push(identity);
  return identity;
}

afterEach(async () => {
  for (const identity of started.splice(0)) await endProcess(identity, 100);
  rmSync(`${folder}/log`, { force: true });
});

describe("a detached process", () => {
  test("leads a session of its own and is known by pid and start time", () => {
    const identity = start(["/bin/sleep", "30"]);
    expect(isProcessRunning(identity)).toBe(true);
    const session = readFileSync(`/proc/${identity.pid}/stat`, "utf8").split(" ")[5];
    expect(Number(session)).toBe(identity.pid);
  });

  test("is not mistaken for another that got its pid", () => {
    const identity = start(["/bin/sleep", "30"]);
    expect(isProcessRunning({ ...identity, startTicks: identity.startTicks - 1 })).toBe(false);
  });

  test("gets no signal that was meant for an earlier owner of its pid", async () => {
    const identity = start(["/bin/sleep", "30"]);
    signalProcess({ ...identity, startTicks: identity.startTicks + 1 }, "SIGKILL");
    expect(isProcessRunning(identity)).toBe(true);
  });

  test("has ended when nothing but its zombie is left", async () => {
    let exits = 0;
    const identity = start(["/bin/sh", "-c", "sleep 0.05; exit 3"], () => exits++);
    expect(await waitFor(() => !isProcessRunning(identity), { timeoutMs: 10_000 })).toBe(true);
    expect(await waitFor(() => exits === 1, { timeoutMs: 10_000 })).toBe(true);
  });

  test("writes to its log, in a clean environment, from the root folder", async () => {
    start(["/bin/sh", "-c", 'echo "$PWD:$QVD_SECRET_OF_TEST:"; exec sleep 30']);
    const said = await waitFor(() => readFileSync(`${folder}/log`, "utf8") || undefined, {
      timeoutMs: 10_000,
    });
    expect(said).toBe("/::\n");
  });

  test("that ignores TERM is killed after its grace", async () => {
    const identity = start(["/bin/sh", "-c", 'trap "" TERM; while :; do sleep 1; done']);
    await waitFor(
      () => readFileSync(`/proc/${identity.pid}/status`, "utf8").includes("SigIgn:\t0000000000004"),
      {
        timeoutMs: 10_000,
      },
    );
    expect(await endProcess(identity, 50)).toBe(true);
  });
});

test("a process that is not there has no identity", () => {
  expect(readProcessIdentity(2 ** 22 + 5)).toBeUndefined();
});

describe("the control group hierarchy", () => {
  const cases: readonly [string, string, string][] = [
    [
      "alone",
      "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
      "/sys/fs/cgroup",
    ],
    [
      "beside version 1",
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "/sys/fs/cgroup/unified",
    ],
  ];
  for (const [what, mountInfo, root] of cases)
    test(`is found ${what}`, () => expect(findCgroupRoot(mountInfo)).toBe(root));

  test("that is missing is said so", () => {
    expect(() => findCgroupRoot("32 31 0:29 / /x rw - cgroup cgroup rw,cpu\n")).toThrow(
      "no cgroup2 hierarchy",
    );
  });
});
