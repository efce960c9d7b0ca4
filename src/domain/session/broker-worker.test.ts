import { expect, test } from "bun:test";
import { formatBrokerWorker, parseBrokerWorker } from "./broker-worker.ts";

test("a worker's name is read as it was written", () => {
  const worker = { name: "broker-12", pid: 4_194_304, startTicks: 998_877_665_544 };
  expect(parseBrokerWorker(formatBrokerWorker(worker))).toEqual(worker);
  expect(formatBrokerWorker(worker).length).toBeLessThanOrEqual(64);
});

test.each(["broker-1", "broker-1/2", "broker-1/2/3/4", "broker-1/x/3", ""])("%p is none", (text) => {
  expect(parseBrokerWorker(text)).toBeUndefined();
});
