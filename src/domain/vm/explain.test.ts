import { describe, expect, test } from "bun:test";
import type { AdministratorActor } from "../access/actor.ts";
import { type AdministratorId, asId, type TenantId } from "../ids.ts";
import { explainVm } from "./explain.ts";
import type { ExplainEvent, ExplainFacts, ExplainReport } from "./explain-facts.ts";
import { VM_STATES } from "./state.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const SITE: AdministratorActor = {
  ...{ kind: "administrator", administratorId: asId<AdministratorId>(1), login: "admin" },
  ...{ tenantId: asId<TenantId>(0), tenantName: "*", acls: new Set(["*"]) },
};
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const RUNNING: ExplainReport = {
  state: "running",
  stateAt: ago(600),
  generationSeen: 4,
  tries: 0,
  nextTryAt: null,
  hasAgent: true,
  hasNetwork: true,
  faultCode: null,
  fault: null,
  crashes: 0,
  queuePosition: null,
  queueDueAt: null,
  idleSince: null,
};
const BOX = { name: "box1", hasLease: true, isBlocked: false, drain: null, startTimeoutMs: 60_000 };
const MOVING = { ...BOX, drain: { mode: "move", canLeave: true } } as const;
const EMPTYING = { ...BOX, drain: { mode: "finish", canLeave: true } } as const;
const TIED = { ...BOX, drain: { mode: "move", canLeave: false } } as const;
const WELL: ExplainFacts = {
  name: "ann-desk",
  wish: "running",
  wishedBy: "user:ann@acme",
  wishedAt: ago(700),
  generation: 4,
  isBlocked: false,
  blockedReason: null,
  osf: "office",
  tag: "default",
  expectsAgent: true,
  image: { version: "v1", state: "ready", fault: null, isBlocked: false },
  idleStopSeconds: null,
  expiresSoftAt: null,
  expiresHardAt: null,
  node: BOX,
  report: RUNNING,
  isConnected: true,
  wasVisited: true,
  events: [],
};
const event = (code: string, text: string, more: Partial<ExplainEvent> = {}): ExplainEvent => ({
  ...{ at: ago(30), code, text, generation: 4, detail: null },
  ...more,
});
const STOPPED = { ...RUNNING, state: "stopped", hasAgent: false } as const;

type Case = readonly [
  rule: string,
  facts: Partial<ExplainFacts>,
  said: {
    readonly truth?: string;
    readonly difference?: string | null;
    readonly next?: string;
    readonly inSeconds?: number;
    readonly command?: string | null;
  },
];

const CASES: readonly Case[] = [
  [
    "what runs as wished needs nothing",
    {},
    {
      truth: "It is running on node box1, for 10 min now; its agent answers",
      difference: null,
      next: "it goes on",
    },
  ],
  [
    "what is stopped as wished stays so",
    { wish: "stopped", report: STOPPED },
    { difference: null, next: "stays stopped" },
  ],
  [
    "what has ended and can't be cleaned up says why, and not that it is shutting down still",
    {
      generation: 5,
      report: {
        ...{ ...RUNNING, state: "stopping_2", hasAgent: false },
        ...{ faultCode: "clean-up-failed", fault: "a process keeps the home open" },
      },
    },
    {
      difference: "what is left of it on its node can't be removed: a process keeps the home open",
      next: "tried again, within a minute each time. Then it is started again.",
    },
  ],
  [
    "what was never asked for is said so",
    { wish: "stopped", wishedBy: null, wishedAt: null, report: null, node: null },
    { truth: "no node has ever run it", difference: null, next: "Nothing" },
  ],
  [
    "a block is the first reason, and can be lifted",
    { isBlocked: true, blockedReason: "it failed 9 times in a row", report: { ...STOPPED, crashes: 9 } },
    { difference: "blocked: it failed 9 times", next: "unblocks", command: "qvd vm unblock ann-desk" },
  ],
  [
    "a block of what runs is told, and not laid to an old failure",
    { isBlocked: true, blockedReason: "under repair", report: { ...RUNNING, crashes: 1 } },
    {
      difference: "nobody can connect to it: under repair.",
      next: "it goes on",
      command: "qvd vm unblock ann-desk",
    },
  ],
  [
    "a wish that no node takes tells of the refusal",
    { node: null, report: null, events: [event("placement-refused", "No node has 64 GB free.")] },
    { difference: "No node has 64 GB free.", next: "placed as soon as" },
  ],
  [
    "a node that is away is waited for, or replaced",
    { node: { ...BOX, hasLease: false }, report: STOPPED },
    { difference: "has not been heard of", next: "another takes", command: "qvd node list" },
  ],
  [
    "a drained node can be filled again, where the home lies there",
    {
      node: { ...BOX, drain: { mode: "finish", canLeave: false } },
      report: { ...STOPPED, faultCode: "start-given-up", fault: "Its node is being drained." },
    },
    { difference: "being drained", command: "qvd node undrain box1" },
  ],
  [
    "a desktop that runs with a broken network goes on, and is looked at again",
    {
      report: { ...RUNNING, hasNetwork: false, faultCode: "network-broken", fault: "its interface is down" },
    },
    { truth: "its network is broken", next: "checked again", command: "qvd vm stop ann-desk" },
  ],
  [
    "a machine without our agent is well, and seen on its console",
    { expectsAgent: false, report: RUNNING },
    { truth: "seen on its console only", difference: null, command: "qvd vm console ann-desk --link" },
  ],
  [
    "a desktop that also runs where it should not names the box, and how to end it there",
    { report: STOPPED, strangeOn: [{ node: "box2", vmId: 41 }] },
    { truth: "also runs on node box2", command: "qvd node end-stranger box2 41" },
  ],
  [
    "an order that was just given is on its way",
    { generation: 5, report: STOPPED },
    { difference: "has not taken the order yet", next: "within moments" },
  ],
  [
    "a start in the queue has its place and its time",
    {
      report: {
        ...RUNNING,
        state: "starting_1",
        queuePosition: 7,
        queueDueAt: new Date(NOW.getTime() + 25_000),
      },
    },
    { difference: "number 7 in the queue", next: "Its turn comes", inSeconds: 25 },
  ],
  [
    "a failed try is tried again at a time",
    {
      report: {
        ...RUNNING,
        state: "starting_1",
        tries: 1,
        nextTryAt: new Date(NOW.getTime() + 4_000),
        faultCode: "start-failed",
        fault: "The agent did not answer within 60 s of the start.",
      },
    },
    { difference: "did not answer", next: "tried again (2 of 3)", inSeconds: 4 },
  ],
  [
    "what was given up waits for a new wish",
    { report: { ...STOPPED, tries: 3, faultCode: "start-given-up", fault: "lxc-start ended with 1" } },
    { difference: "lxc-start ended", next: "A new wish starts it afresh", command: "qvd vm start ann-desk" },
  ],
  [
    "a tag without an image can be put on one",
    { image: null, report: { ...RUNNING, state: "starting_1" } },
    {
      difference: "No image of office carries the tag default",
      command: "qvd image tag office:VERSION default",
    },
  ],
  [
    "an image that is being taken in is waited for",
    {
      image: { version: "v2", state: "verifying", fault: null, isBlocked: false },
      report: { ...RUNNING, state: "starting_1" },
    },
    { difference: "still being taken in", next: "when its image is ready" },
  ],
  [
    "a desktop without its agent runs on",
    {
      report: { ...RUNNING, hasAgent: false, faultCode: "agent-lost", fault: "The agent no longer answers." },
    },
    { truth: "its agent does not answer", difference: "no longer answers", command: "qvd vm stop ann-desk" },
  ],
  [
    "an idle desktop ends at a time",
    { isConnected: false, idleStopSeconds: 900, report: { ...RUNNING, idleSince: ago(300) } },
    { difference: null, next: "unless somebody connects", inSeconds: 600 },
  ],
  [
    "the first of several ends is told",
    {
      expiresSoftAt: new Date(NOW.getTime() + 60_000),
      expiresHardAt: new Date(NOW.getTime() + 600_000),
    },
    { next: "asked to restart", inSeconds: 60 },
  ],
  [
    "a stop has its stages",
    { wish: "stopped", report: { ...RUNNING, state: "stopping_2", stateAt: ago(10) } },
    { difference: "takes its time", next: "TERM", inSeconds: 20 },
  ],
  [
    "a process that survives KILL is the box's trouble",
    { wish: "stopped", report: { ...RUNNING, state: "zombie_2" } },
    { next: "KILL is sent again", command: null },
  ],
  [
    "a node that is emptied by moving stops what runs there",
    { node: MOVING },
    {
      difference: null,
      next: "asked to shut down within moments. Then it starts on another node: node box1",
    },
  ],
  [
    "one that is emptied by finishing does not",
    { node: EMPTYING },
    { next: "goes on until it is stopped. Then it starts on another node" },
  ],
  [
    "what can't leave a drained node goes on, and then waits",
    { node: TIED },
    { next: "goes on until it is stopped. Then it stays stopped until the drain ends" },
  ],
  [
    "an end that comes first is told of a drained node too",
    { node: EMPTYING, isConnected: false, idleStopSeconds: 900, report: { ...RUNNING, idleSince: ago(300) } },
    { next: "unless somebody connects", inSeconds: 600 },
  ],
  [
    "what goes down for the drain's sake starts elsewhere",
    { node: MOVING, report: { ...RUNNING, state: "stopping_2", stateAt: ago(10) } },
    { difference: "then starts on another node", next: "Then it starts on another node", inSeconds: 20 },
  ],
  [
    "what is down for the drain's sake is let go of",
    { node: MOVING, report: STOPPED },
    { next: "lets go of it within moments, and another starts it" },
  ],
  [
    "a start on a node that is emptied by moving is called off",
    { node: MOVING, report: { ...RUNNING, state: "starting_2", stateAt: ago(10) } },
    { next: "called off. Then it starts on another node" },
  ],
  [
    "a boot has its time",
    { report: { ...RUNNING, state: "starting_2", stateAt: ago(10) } },
    { next: "this try has failed", inSeconds: 50 },
  ],
  [
    "what was started and not entered yet isn't idle before a quarter of an hour",
    {
      ...{ isConnected: false, idleStopSeconds: 0, wasVisited: false },
      report: { ...RUNNING, idleSince: ago(300) },
    },
    { next: "unless somebody connects", inSeconds: 600 },
  ],
  [
    "nobody can tell who sits at a console, so no machine without our agent is idle",
    {
      ...{ isConnected: false, idleStopSeconds: 900, expectsAgent: false },
      report: { ...RUNNING, idleSince: ago(300) },
    },
    { next: "Nothing: it goes on." },
  ],
  [
    "a desktop that goes down while it is wanted up comes back",
    { report: { ...RUNNING, state: "stopping_2", stateAt: ago(10) } },
    { difference: "goes down first", next: "Then it is started again" },
  ],
];

describe("an explanation", () => {
  for (const [rule, given, said] of CASES)
    test(rule, () => {
      const explained = explainVm({ ...WELL, ...given }, NOW, SITE);
      if (said.truth !== undefined) expect(explained.truth).toContain(said.truth);
      if (said.difference === null) expect(explained.difference).toBeNull();
      if (typeof said.difference === "string") expect(explained.difference).toContain(said.difference);
      if (said.next !== undefined) expect(explained.next).toContain(said.next);
      if (said.inSeconds !== undefined)
        expect(explained.nextAt).toEqual(new Date(NOW.getTime() + said.inSeconds * 1000));
      if (said.command !== undefined) expect(explained.advice[0]?.command).toBe(said.command);
    });

  test("says who wished it, and since when", () => {
    expect(explainVm(WELL, NOW, SITE).wished).toBe("Running, 12 min ago: ann@acme asked for it.");
    expect(explainVm({ ...WELL, wish: "stopped", wishedBy: "system:idle" }, NOW, SITE).wished).toBe(
      "Stopped, 12 min ago: nobody is connected any more.",
    );
  });

  test("tells what was tried for this wish only, oldest first", () => {
    const events = [
      event("start-retry-planned", "Next try in 4 s (3 of 3)."),
      event("start-failed", "The second try failed.", { at: ago(10) }),
      event("start-failed", "The first try failed.", { at: ago(40) }),
      event("start-failed", "Long ago.", { generation: 3 }),
    ];
    expect(explainVm({ ...WELL, events }, NOW, SITE).tried.map(({ text }) => text)).toEqual([
      "The first try failed.",
      "The second try failed.",
    ]);
  });

  test("lists the nodes that refused, as long as none has it", () => {
    const candidates = [
      { node: "box1", reason: "it is blocked" },
      { node: "box2", reason: "it has 200 MB free of 1024 MB" },
    ];
    const events = [
      event("placement-refused", "No node takes it.", { detail: { candidates: [...candidates, 7] } }),
    ];
    const facts = { ...WELL, node: null, report: null, events };
    expect(explainVm(facts, NOW, SITE).candidates).toEqual(candidates);
    expect(explainVm({ ...facts, generation: 5 }, NOW, SITE).candidates).toEqual([]);
    expect(explainVm({ ...WELL, events }, NOW, SITE).candidates).toEqual([]);
  });

  test("gives commands that a shell takes, whatever the name", () => {
    const facts = { ...WELL, name: "Ann's desk", isBlocked: true, report: STOPPED };
    expect(explainVm(facts, NOW, SITE).advice[0]?.command).toBe("qvd vm unblock 'Ann'\\''s desk'");
  });

  test("gives a restart as the two commands that do it", () => {
    for (const faultCode of ["agent-lost", "network-broken"]) {
      const report = { ...RUNNING, faultCode, fault: "It is so." };
      const commands = explainVm({ ...WELL, report }, NOW, SITE).advice.map(({ command }) => command);
      expect(commands.slice(0, 2)).toEqual(["qvd vm stop ann-desk", "qvd vm start ann-desk"]);
    }
  });

  test("has a sentence for everything, in whatever state and wish", () => {
    for (const state of VM_STATES)
      for (const wish of ["running", "stopped"] as const)
        for (const fault of [null, "Something broke."])
          for (const node of [BOX, MOVING, EMPTYING, TIED, null]) {
            const said = explainVm({ ...WELL, wish, node, report: { ...RUNNING, state, fault } }, NOW, SITE);
            for (const text of [said.wished, said.truth, said.next, said.difference ?? "It is so."])
              expect(text).toMatch(/^[A-Z].{4,}\.$/);
          }
  });
});
