import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { silentLog } from "../lib/log.ts";
import { formatGuestMessage } from "../wire/guest/messages.ts";
import { takeOrderAhead } from "./take-order-ahead.ts";

const ORDER = {
  type: "session-prepare",
  order: 0,
  session: 5,
  account: { login: "alice", uid: 2001, fullName: "Alice" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  accept: "10.93.0.1",
  slaveKey: "k",
} as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/qvd-ahead-`);
});
afterEach(() => rmSync(folder, { recursive: true }));

const places = () => ({ orderAhead: `${folder}/order`, orderTaken: `${folder}/order-taken` });
const take = () => takeOrderAhead(places(), silentLog());

test("an order that was left is taken once a boot, whichever agent comes", () => {
  writeFileSync(places().orderAhead, formatGuestMessage(ORDER));
  expect(take()).toEqual(ORDER);
  expect(take()).toBeUndefined();
});

test.each([
  ["half an order", formatGuestMessage(ORDER).slice(0, 40)],
  ["an order of another kind", formatGuestMessage({ type: "power-off", order: 0 })],
  ["nothing", ""],
])("%s is left alone: the node gives it again", (_what, text) => {
  writeFileSync(places().orderAhead, text);
  expect(take()).toBeUndefined();
});

test("an order that comes after the first agent has looked is left to the channel, for ever", () => {
  expect(take()).toBeUndefined();
  writeFileSync(places().orderAhead, formatGuestMessage(ORDER));
  expect(take()).toBeUndefined();
});

test("mostly there is none", () => expect(take()).toBeUndefined());
