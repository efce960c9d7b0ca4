import { afterEach, expect, test } from "bun:test";
import { readProcessIdentity } from "../lib/process.ts";
import { refuseTakenPort } from "./refuse-taken-port.ts";

const open: { stop: (closeActive: boolean) => void }[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.stop(true);
});

/** Another box's broker. */
function listenShared(): number {
  // `reusePort` is missing in Bun's types, which only complain about literals.
  const options = { hostname: "127.0.0.1", port: 0, reusePort: true, socket: { data: () => {} } };
  const server = Bun.listen(options);
  open.push(server);
  return server.port;
}

const shared = (port: number) => ({
  address: "127.0.0.1",
  port,
  isOf: (name: string) => name.startsWith("broker-"),
});

function worker(name: string, pid = process.pid) {
  const identity = readProcessIdentity(process.pid);
  return { name, pid, startTicks: identity?.startTicks ?? 0, startedAtMs: 0, restarts: 0 };
}

test("a port that somebody shares is refused, with what to do", () => {
  const port = listenShared();
  expect(() => refuseTakenPort(shared(port), [])).toThrow(
    new RegExp(`port ${port} of 127.0.0.1 is taken.*QVD_BROKER_PORT`),
  );
});

test("a port that is free is left free", () => {
  const port = listenShared();
  open.splice(0).forEach((server) => {
    server.stop(true);
  });
  refuseTakenPort(shared(port), []);
  refuseTakenPort(shared(port), []);
});

test("a port that our own brokers have is ours, also while one of them is away", () => {
  const port = listenShared();
  refuseTakenPort(shared(port), [worker("broker-1", 2 ** 22), worker("broker-2")]);
});

test("workers that are gone, or don't listen there, make it nobody's", () => {
  const port = listenShared();
  expect(() => refuseTakenPort(shared(port), [worker("auth")])).toThrow(/taken/);
  expect(() => refuseTakenPort(shared(port), [worker("broker-1", 2 ** 22)])).toThrow(/taken/);
});
