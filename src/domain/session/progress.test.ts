import { expect, test } from "bun:test";
import { asId, type VmId } from "../ids.ts";
import { VM_EVENT_CODES } from "../vm/event.ts";
import { progressTexts, requestTexts, waitingText } from "./progress.ts";

const vmId = asId<VmId>(7);

test("of the request only what is true is told, in the original's order", () => {
  const settled = { hasTakenOver: false, isPlaced: true };
  expect(requestTexts(vmId, settled)).toEqual(["Session acquired for VM_ID: 7"]);
  expect(requestTexts(vmId, { hasTakenOver: true, isPlaced: false })).toEqual([
    "Aborting contending session for VM_ID: 7",
    "Session acquired for VM_ID: 7",
    "Assigning VM 7 to host",
  ]);
});

test("three codes of the trail are told, no other", () => {
  const told = VM_EVENT_CODES.filter((code) => progressTexts(code, vmId).length > 0);
  expect(told).toEqual(["start-taken", "session-preparing", "session-listening"]);
});

const waiting: [string, Parameters<typeof waitingText>[1]][] = [
  ["Waiting for VM to reach state 'running'", { isRunning: false, queue: undefined }],
  ["Waiting for X session to come up on VM 7", { isRunning: true, queue: undefined }],
  [
    "Waiting for VM to reach state 'running': number 12 in the queue, about 40 s",
    { isRunning: false, queue: { position: 12, dueInMs: 40_100 } },
  ],
  [
    "Waiting for VM to reach state 'running': number 400 in the queue, about 5 min",
    { isRunning: false, queue: { position: 400, dueInMs: 290_000 } },
  ],
  [
    "Waiting for VM to reach state 'running': number 1 in the queue, about 1 s",
    { isRunning: false, queue: { position: 1, dueInMs: -3_000 } },
  ],
  [
    "Waiting for VM to reach state 'running': number 3 in the queue",
    { isRunning: false, queue: { position: 3, dueInMs: undefined } },
  ],
];
for (const [text, now] of waiting) test(text, () => expect(waitingText(vmId, now)).toBe(text));
