import { describe, expect, test } from "bun:test";
import { listProblems, type NodeSigns, type WorkerFacts } from "./report.ts";

const WORKER: WorkerFacts = {
  name: "broker-1",
  pid: 7,
  state: "running",
  startedAtMs: 1,
  restarts: 0,
  connections: 3,
};
const WELL: NodeSigns = {
  workers: [WORKER],
  hasLease: true,
  memoryFreeMb: 4_000,
  diskFreeMb: 50_000,
  stateFolder: "/var/lib/qvd",
  givenUp: [],
  zombies: [],
  strangers: [],
  notUnpacked: [],
  strangeImages: [],
};

test("a box that is well has no problems", () => expect(listProblems(WELL)).toEqual([]));

test("brokers that drain are no problem", () => {
  const elder: WorkerFacts = { ...WORKER, pid: 8, state: "draining", isElder: true, deadlineAtMs: 9 };
  expect(listProblems({ ...WELL, workers: [WORKER, elder] })).toEqual([]);
});

describe("a box tells, with advice,", () => {
  const cases: readonly [string, Partial<NodeSigns>, RegExp][] = [
    ["of a lost lease", { hasLease: false }, /lease/],
    [
      "of a worker that is down",
      { workers: [{ ...WORKER, state: "restarting", pid: null, restarts: 4 }] },
      /broker-1 .*4 restarts/,
    ],
    [
      "of a new certificate that is not used, once for all brokers",
      { workers: [1, 2].map((pid) => ({ ...WORKER, pid, trouble: "It isn't of the key" })) },
      /^It isn't of the key\.$/,
    ],
    [
      "of brokers whose successors don't listen",
      { workers: [WORKER, { ...WORKER, pid: 8, isElder: true }] },
      /wait to be replaced/,
    ],
    ["of a disk that is nearly full", { diskFreeMb: 1_023 }, /1023 MB .*\/var\/lib\/qvd/],
    ["of memory that is nearly used up", { memoryFreeMb: 255 }, /255 MB of memory/],
    ["of desktops that don't end", { zombies: ["anna-1"] }, /anna-1/],
    [
      "of desktops that don't start",
      { givenUp: [{ name: "anna-1", text: "no image" }] },
      /anna-1 \(no image\)/,
    ],
    [
      "of images that there is no room for, once for all of them",
      {
        notUnpacked: [
          { name: "office:1", code: "storage-full", text: "full" },
          { name: "office:2", code: "storage-full", text: "full" },
        ],
      },
      /no room to unpack the images office:1, office:2 where/,
    ],
    [
      "of an image that can't be unpacked for another reason",
      { notUnpacked: [{ name: "office:1", code: "image-broken", text: "it is truncated" }] },
      /office:1 could not be unpacked: it is truncated/,
    ],
    [
      "of virtual machines that are emulated",
      { machines: { accelerator: "tcg", reason: "there is no /dev/kvm." } },
      /emulated/,
    ],
    ["of images that the database does not know", { strangeImages: [3, 9] }, /does not know: 3, 9/],
    [
      "of a shared storage that doesn't answer",
      { sharedFolder: "/srv/shared", sharedFreeMb: null },
      /\/srv\/shared does not answer/,
    ],
    [
      "of a shared storage that is nearly full",
      { sharedFolder: "/srv/shared", sharedFreeMb: 100 },
      /Only 100 MB are free on the shared storage/,
    ],
    [
      "of homes near their limit, the fullest first",
      {
        homes: [
          { name: "anna-1", sizeMb: 100, usedMb: 90 },
          { name: "ben-1", sizeMb: 100, usedMb: 89 },
          { name: "eve-1", sizeMb: 200, usedMb: 199 },
        ],
      },
      /: eve-1 \(100 % of 200 MB\), anna-1 \(90 % of 100 MB\)\./,
    ],
    ["of disks that became read-only", { halted: ["anna-1"] }, /read-only after an error: of anna-1/],
    ["of desktops that it should not have", { strangers: [41] }, /41/],
    [
      "of rules that were taken away and put back",
      { rules: { times: 1, atMs: 0, by: "nft (process 9)", fault: undefined } },
      /at 1970-01-01 00:00:00 UTC by nft \(process 9\)\. They were put back/,
    ],
    [
      "how often rules were taken away",
      { rules: { times: 3, atMs: 0, by: undefined, fault: undefined } },
      /3 times, the last one at .* by another program/,
    ],
    [
      "of rules that can't be put back",
      { rules: { times: 0, atMs: 0, by: undefined, fault: "no nft" } },
      /not kept apart .*no nft/,
    ],
    ["of no more than five names", { strangers: [1, 2, 3, 4, 5, 6, 7] }, /1, 2, 3, 4, 5 and 2 more/],
  ];
  for (const [rule, signs, text] of cases)
    test(rule, () => {
      const problems = listProblems({ ...WELL, ...signs });
      expect(problems).toHaveLength(1);
      expect(problems[0]?.text).toMatch(text);
      expect(problems[0]?.advice.length).toBeGreaterThan(20);
    });
});
