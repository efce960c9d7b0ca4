import { NOW_MS } from "../../../test/support/vm-facts.ts";
import { DEAD, FAILED, planTable, WISHED_RUNNING } from "../../../test/support/vm-plan-table.ts";

planTable("stopping_1", [
  ["waits 5 s for the answer", { report: { state: "stopping_1" } }, [], 5_000],
  [
    "signals init when no answer comes",
    { report: { state: "stopping_1", stateAtMs: NOW_MS - 5_000 } },
    ["report stopping_2 halt-sent", "halt"],
  ],
  [
    "signals init at once when the agent can't",
    { report: { state: "stopping_1" }, seen: { failure: { ...FAILED, action: "ask-poweroff" } } },
    ["report stopping_2 halt-sent", "halt"],
  ],
  [
    "is over when nothing lives",
    { report: { state: "stopping_1" }, seen: DEAD },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "goes on to its end although it is wanted again",
    { report: { state: "stopping_1" }, wished: WISHED_RUNNING },
    [],
    5_000,
  ],
]);

planTable("stopping_2", [
  ["waits 30 s for the end", { report: { state: "stopping_2" } }, [], 30_000],
  [
    "becomes a zombie when it does not end",
    { report: { state: "stopping_2", stateAtMs: NOW_MS - 30_000 } },
    ["report zombie_1 monitor-terminated", "terminate"],
  ],
  [
    "becomes a zombie at once when it can't be halted",
    { report: { state: "stopping_2" }, seen: { failure: { ...FAILED, action: "halt" } } },
    ["report zombie_1 monitor-terminated", "terminate"],
  ],
  [
    "is over when nothing lives",
    { report: { state: "stopping_2" }, seen: DEAD },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "is over when nothing is left at all",
    { report: { state: "stopping_2" }, seen: { isAlive: false, leftovers: [] } },
    ["report stopped desktop-stopped"],
  ],
]);

planTable("zombie_1", [
  ["waits 10 s for the monitor", { report: { state: "zombie_1" } }, [], 10_000],
  [
    "is killed when the monitor can't end it",
    { report: { state: "zombie_1", stateAtMs: NOW_MS - 10_000 } },
    ["report zombie_2 kill-sent", "kill"],
  ],
  [
    "is killed at once when TERM can't be sent",
    { report: { state: "zombie_1" }, seen: { failure: { ...FAILED, action: "terminate" } } },
    ["report zombie_2 kill-sent", "kill"],
  ],
  [
    "is over when nothing lives",
    { report: { state: "zombie_1" }, seen: DEAD },
    ["clean-up", "report stopped desktop-stopped"],
  ],
]);

planTable("zombie_2", [
  ["is killed again after a restart of the node", { report: { state: "zombie_2" } }, ["kill"]],
  [
    "waits between two kills",
    { report: { state: "zombie_2" }, seen: { killedAtMs: NOW_MS - 4_000 } },
    [],
    6_000,
  ],
  [
    "is killed until nothing is left",
    { report: { state: "zombie_2" }, seen: { killedAtMs: NOW_MS - 10_000 } },
    ["kill"],
  ],
  [
    "stays as long as something lives, whatever is wished",
    { report: { state: "zombie_2" }, wished: WISHED_RUNNING, seen: { killedAtMs: NOW_MS } },
    [],
    10_000,
  ],
  [
    "is over when nothing lives",
    { report: { state: "zombie_2" }, seen: DEAD },
    ["clean-up", "report stopped desktop-stopped"],
  ],
]);

planTable("a clean-up that failed", [
  [
    "is told of, and waited with",
    {
      report: { state: "stopping_2" },
      seen: {
        ...DEAD,
        failure: { ...FAILED, action: "clean-up" },
        cleanUpFailures: 1,
        cleanUpFailedAtMs: NOW_MS,
      },
    },
    ["report clean-up-failed"],
    2_000,
  ],
  [
    "is not told of again for the same reason",
    {
      report: { state: "stopping_2", fault: { code: "clean-up-failed", text: FAILED.text } },
      seen: {
        ...DEAD,
        failure: { ...FAILED, action: "clean-up" },
        cleanUpFailures: 2,
        cleanUpFailedAtMs: NOW_MS,
      },
    },
    [],
    4_000,
  ],
  [
    "is tried again",
    {
      report: { state: "stopping_2" },
      seen: { ...DEAD, cleanUpFailures: 1, cleanUpFailedAtMs: NOW_MS - 2_000 },
    },
    ["clean-up", "report stopped desktop-stopped"],
  ],
  [
    "keeps the desktop from starting",
    {
      report: { state: "starting_1" },
      seen: {
        leftovers: ["mount"],
        cleanUpFailures: 1,
        cleanUpFailedAtMs: NOW_MS,
        failure: { ...FAILED, action: "clean-up" },
      },
    },
    ["report clean-up-failed"],
    2_000,
  ],
]);
