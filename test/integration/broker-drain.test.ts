/** How a broker goes: balancers are told first, nothing that was asked is lost, and the rest ends at a deadline. */

import { describe, expect, test } from "bun:test";
import type { BrokerState } from "../../src/wire/broker/state-file.ts";
import { askPing } from "../support/ask-ping.ts";
import {
  type BrokerDoor,
  basic,
  connectRequest,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  request,
  until,
} from "../support/broker-door.ts";

const ALIVE = "I am alive!";
const PING = request(["GET /qvd/ping HTTP/1.1"]);
const LIST = request(["GET /qvd/list_of_vm HTTP/1.1", basic("alice")]);
const DRAINING = "Server is draining";
const SWITCHED = /101 Switching Protocols\r\n.*\r\n\r\n$/;

async function openDrainable(limits: Parameters<typeof openBrokerDoor>[0] = {}) {
  const states: BrokerState[] = [];
  const replaced = new AbortController();
  const desktop = openEchoDesktop();
  const door = await openBrokerDoor({
    replaced: replaced.signal,
    onState: (state) => states.push(state),
    ...limits,
  });
  door.store.addDesktop(1, 1);
  door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
  const phase = () => states.at(-1)?.phase;
  const close = async () => {
    desktop.stop();
    await door.close();
  };
  return { door, states, phase, replace: () => replaced.abort(), close };
}

const isRefused = async (door: BrokerDoor) => /^(error|closed)/.test((await askPing(door.port)).text);

describe("a broker that goes away", () => {
  test("while a balancer asks, says so and serves whoever comes, before its port closes", async () => {
    const { door, phase, close } = await openDrainable({ limits: { leaveMs: 4_000 } });
    expect((await askPing(door.port)).text).toContain(ALIVE);
    door.drain();
    await until("it leaves", () => phase() === "leaving");
    expect((await askPing(door.port)).text).toMatch(/^HTTP\/1.1 503 [\s\S]*Server is draining$/);
    const client = await door.open();
    client.send(LIST);
    await client.expect(/200 OK[\s\S]*\]/);
    await until("its port closes", () => phase() === "draining", 15_000);
    expect(await isRefused(door)).toBe(true);
    await close();
  });

  test("closes its port at once where nobody asks", async () => {
    const { door, phase, close } = await openDrainable({ limits: { leaveMs: 60_000 } });
    door.drain();
    await until("it drains", () => phase() === "draining");
    await close();
  });

  test("closes its port at once where successors have it", async () => {
    const { door, states, phase, replace, close } = await openDrainable({ limits: { leaveMs: 60_000 } });
    expect((await askPing(door.port)).text).toContain(ALIVE);
    replace();
    await until("it drains", () => phase() === "draining");
    expect(states.map((state) => state.phase)).not.toContain("leaving");
    await close();
  });
});

describe("a broker that drains", () => {
  test("answers who had just come, and lets go of strangers that are idle", async () => {
    const { door, replace, phase, close } = await openDrainable();
    const [fresh, idle] = [await door.open(), await door.open()];
    idle.send(PING);
    await idle.expect(/I am alive/);
    replace();
    await until("it drains", () => phase() === "draining");
    await idle.expectEnd();
    fresh.send(LIST);
    await fresh.expect(/200 OK[\s\S]*\]/);
    await close();
  });

  test("lets who proved to be somebody still choose a desktop, and keeps that session", async () => {
    const { door, replace, phase, close } = await openDrainable();
    const client = await door.open();
    client.send(LIST);
    await client.expect(/200 OK[\s\S]*\]/);
    replace();
    await until("it drains", () => phase() === "draining");
    client.send(connectRequest(1));
    await client.expect(SWITCHED);
    client.send("on and on");
    await client.expect(/on and on$/);
    await close();
  });

  test("does not wait for talk without end", async () => {
    const { door, replace, close } = await openDrainable({ limits: { drainTalkMs: 300 } });
    const client = await door.open();
    client.send(LIST);
    await client.expect(/200 OK[\s\S]*\]/);
    replace();
    await door.ended;
    await close();
  });

  test("announces its deadline, and ends there what is left", async () => {
    const { door, states, replace, close } = await openDrainable({ limits: { drainMs: 4_000 } });
    const client = await door.open();
    client.send(connectRequest(1));
    await client.expect(SWITCHED);
    replace();
    await until("it is announced", () => door.store.sessions[0]?.endsInMs !== undefined);
    expect(door.store.sessions[0]?.endsInMs).toBeWithin(1, 4_001);
    await until("it is told", () => states.at(-1)?.phase === "draining");
    expect(states.at(-1)).toMatchObject({ phase: "draining", sessions: 1 });
    await client.expectEnd(15_000);
    await door.ended;
    expect(door.store.sessions[0]?.end?.cause).toBe("broker-replaced");
    await close();
  });
});

test("a box that is being emptied tells balancers, and serves whoever comes", async () => {
  const { door, close } = await openDrainable();
  door.store.node = { isBlocked: false, state: "running", isDraining: true };
  expect((await askPing(door.port)).text).toContain(DRAINING);
  const client = await door.open();
  client.send(LIST);
  await client.expect(/200 OK[\s\S]*\]/);
  await close();
});
