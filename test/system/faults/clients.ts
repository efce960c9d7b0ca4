/** Clients that go away at each phase: nothing of them stays, in the database or in a process. */

import { expect, test } from "bun:test";
import { connect } from "node:net";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { basic } from "../../support/broker-door.ts";
import type { FaultLab } from "../../support/fault-lab.ts";
import { askForSession, askOnce, type Person } from "../../support/nx-visit.ts";
import { QvdClient } from "../../support/qvd-client.ts";
import type { PartName } from "../../support/whole-box.ts";

const TIMES = 20;
const BROKERS: readonly PartName[] = ["broker-1", "broker-2"];

export function testClients(lab: () => FaultLab): void {
  test("before it has said anything leaves nothing", async () => {
    await expectNothingKept(async (port) => {
      const socket = connect(port, "127.0.0.1");
      await new Promise((resolve) => socket.once("connect", resolve));
      socket.resetAndDestroy();
    });
  }, 240_000);

  test("after the handshake leaves nothing", async () => {
    await expectNothingKept(async (port, time) => {
      leave(await QvdClient.open(port), time);
    });
  }, 240_000);

  test("in the middle of its head leaves nothing", async () => {
    await expectNothingKept(async (port, time) => {
      const client = await QvdClient.open(port);
      client.send(`GET /qvd/connect_to_vm?id=${lab().alice.vmId} HTTP/1.1\r\n${basic("alice").slice(0, 30)}`);
      leave(client, time);
    });
  }, 240_000);

  test("while its desktop starts leaves no open session, and the desktop for its next try", async () => {
    const { box, bob } = lab();
    for (const time of [0, 1]) {
      await stop(bob);
      const since = await lab().lastEventId(bob.vmId);
      const client = await askForSession(box.brokerPort, bob);
      await client.expect(/HTTP\/1\.1 102 /);
      leave(client, time);
      await expectClosed(bob, "client-left");
      expect(await lab().tells(bob.vmId, "session-ended", since)).toBe(true);
      expect(await lab().reaches(bob.vmId, "running")).toBe(true);
    }
    expect((await askOnce(box.brokerPort, bob)).status).toBe(101);
    await expectNoSocket();
  }, 240_000);

  test("right after the 101, or instead of it, leaves no open session and the desktop usable", async () => {
    const { box, bob } = lab();
    for (const [time, pattern] of [/1 102 /, /1 101 /, /1 101 /, /1 102 /].entries()) {
      const client = await askForSession(box.brokerPort, bob);
      await client.expect(pattern, 60_000);
      leave(client, time);
      await expectClosed(bob, "client-left");
    }
    const visit = await lab().visit(bob);
    await lab().proveWork(visit, bob);
    await visit.leave();
    await expectClosed(bob, "client-left");
    await expectNoSocket();
  }, 240_000);

  async function expectNothingKept(visit: (port: number, time: number) => Promise<void>): Promise<void> {
    for (let time = 0; time < TIMES; time++) await visit(lab().box.brokerPort, time);
    expect(await lab().openSessions()).toEqual([]);
    await expectNoSocket();
  }

  async function stop(person: Person): Promise<void> {
    await lab().box.qvdOk("vm", "stop", `${person.login}-desk`);
    expect(await lab().reaches(person.vmId, "stopped")).toBe(true);
  }

  async function expectClosed(person: Person, cause: string): Promise<void> {
    const isClosed = async () => (await lab().openSessions(person.vmId)).length === 0;
    expect(await waitFor(isClosed, { timeoutMs: 60_000 })).toBe(true);
    expect((await lab().lastSession(person.vmId))?.end_cause).toBe(cause);
  }

  /** No connection to a client or a desktop is left in a broker; those to the database are of another kind. */
  async function expectNoSocket(): Promise<void> {
    const owners = BROKERS.map((name) => `pid=${lab().box.find(name)?.pid},`);
    const list = async () =>
      (await runOk("listing sockets", ["ss", "-H", "-t", "-a", "-n", "-p"]))
        .split("\n")
        .filter((line) => owners.some((owner) => line.includes(owner)) && !line.startsWith("LISTEN"));
    await waitFor(async () => (await list()).length === 0, { timeoutMs: 60_000, everyMs: 100 });
    expect(await list()).toEqual([]);
  }
}

/** By a reset, as of a crashed client, or by an orderly end. */
function leave(client: QvdClient, time: number): void {
  if (time % 2 === 0) client.terminate();
  else client.close();
}
