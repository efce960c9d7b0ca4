import { expect, test } from "bun:test";
import { asId, type SessionId } from "../domain/ids.ts";
import { silentLog } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import { Recorder } from "./record.ts";
import type { BrokerStore } from "./store.ts";

const id = asId<SessionId>(7);

/** A recorder over a store that only notes what it is told. */
function open(lookAgainMs = 5) {
  const told: string[] = [];
  const store = {
    recordEnded: async (_id: SessionId, { cause }: { cause: string }) => void told.push(cause),
    recordSignedOut: async () => void told.push("looked again"),
  };
  // The recorder touches these two alone.
  return { told, recorder: new Recorder(store as unknown as BrokerStore, silentLog(), lookAgainMs) };
}

const cases: [string, number, string[]][] = [
  ["client-left", 10, ["client-left", "looked again"]],
  ["client-left", 0, ["client-left"]],
  ["superseded", 10, ["superseded"]],
  ["desktop-closed", 10, ["desktop-closed"]],
];
for (const [cause, bytesToClient, expected] of cases)
  test(`an end by ${cause} after ${bytesToClient} bytes: ${expected.join(", ")}`, async () => {
    const { told, recorder } = open();
    recorder.ended(id, { cause, bytesToClient, bytesFromClient: 0 });
    await sleep(40);
    expect(told).toEqual(expected);
  });

test("nothing is looked at after the worker's end", async () => {
  const { told, recorder } = open(30);
  recorder.ended(id, { cause: "client-left", bytesToClient: 10, bytesFromClient: 0 });
  await recorder.settle(1_000);
  await sleep(60);
  expect(told).toEqual(["client-left"]);
});
