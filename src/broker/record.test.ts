import { expect, test } from "bun:test";
import { asId, type SessionId } from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";
import { silentLog } from "../lib/log.ts";
import { sleep, waitFor } from "../lib/wait.ts";
import { Recorder } from "./record.ts";
import type { BrokerStore } from "./store.ts";

const id = asId<SessionId>(7);
const WAIT = { timeoutMs: 10_000, everyMs: 2 };

const END = { cause: "client-left", bytesToClient: 10, bytesFromClient: 0 };

/** A recorder over a store that only notes what it is told; `fail` is thrown once by the call of that number. */
function open(
  lookAgainMs = 5,
  fail: { readonly at: number; readonly error: unknown } | undefined = undefined,
) {
  const told: string[] = [];
  let calls = 0;
  const store = {
    recordEnded: async (_id: SessionId, { cause }: { cause: string }) => {
      if (++calls === fail?.at) throw fail.error;
      told.push(cause);
    },
    recordSecondLook: async () => void told.push("looked again"),
  };
  // The recorder touches these two alone.
  return { told, recorder: new Recorder(store as unknown as BrokerStore, silentLog(), lookAgainMs) };
}

const cases: [string, number, string[]][] = [
  ["client-left", 10, ["client-left", "client-left", "looked again"]],
  ["client-left", 0, ["client-left", "client-left"]],
  ["desktop-closed", 10, ["desktop-closed", "desktop-closed", "looked again"]],
  ["desktop-closed", 0, ["desktop-closed", "desktop-closed", "looked again"]],
  ["superseded", 10, ["superseded", "superseded"]],
];
for (const [cause, bytesToClient, expected] of cases)
  test(`an end by ${cause} after ${bytesToClient} bytes: ${expected.join(", ")}`, async () => {
    const { told, recorder } = open();
    recorder.ended(id, { ...END, cause, bytesToClient });
    expect(await waitFor(() => told.length === expected.length, WAIT)).toBe(true);
    expect(told).toEqual(expected);
    await recorder.settle(1_000);
  });

test("all of many are told again, in the order in which they ended", async () => {
  const { told, recorder } = open();
  const causes = Array.from({ length: 50 }, (_, n) => `cause ${n}`);
  for (const [n, cause] of causes.entries()) recorder.ended(asId<SessionId>(n + 1), { ...END, cause });
  expect(await waitFor(() => told.length === 100, WAIT)).toBe(true);
  for (const half of [told.slice(0, 50), told.slice(50)]) expect(half).toEqual(causes);
  await recorder.settle(1_000);
});

test("a database that has died by then is told when it is back", async () => {
  const error = new AppError("database-away", "The database does not answer");
  const { told, recorder } = open(5, { at: 2, error });
  recorder.ended(id, END);
  expect(await waitFor(() => told.includes("looked again"), WAIT)).toBe(true);
  // Written, lost perhaps, written when it was back, and once more a moment after.
  expect(told).toEqual(["client-left", "client-left", "client-left", "looked again"]);
  await recorder.settle(1_000);
});

test("nothing is looked at after the worker's end", async () => {
  const { told, recorder } = open(30);
  recorder.ended(id, END);
  await recorder.settle(1_000);
  await sleep(60);
  expect(told).toEqual(["client-left"]);
});
