/** Each process of the box is killed while a person works; what they see of it is the rule. */

import { expect, test } from "bun:test";
import { asId, type VmId } from "../../../src/domain/ids.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";
import type { FaultLab } from "../../support/fault-lab.ts";
import { askForSession, askOnce, type Visit } from "../../support/nx-visit.ts";
import type { PartName } from "../../support/whole-box.ts";

/** The clock on the screen ticks ten times a second; this much silence is no busy machine's. */
const SILENCE_MS = 4_000;
const TEST_MS = 240_000;

export function testProcesses(lab: () => FaultLab): void {
  const aliceVm = () => asId<VmId>(lab().alice.vmId);

  test(
    "of the node costs no session a byte; it finds the desktop again and serves the next client",
    async () => {
      const { box, alice, bob } = lab();
      const visit = await lab().visit(alice);
      const init = await box.init(aliceVm());
      const workers = [box.find("auth"), box.find("broker-1"), box.find("broker-2")];
      const since = await lab().lastEventId(alice.vmId);
      const startMs = performance.now();
      await box.killPart("node");
      await expectWork(visit, startMs);
      expect(await lab().tells(alice.vmId, "desktop-found", since)).toBe(true);
      lab().note("node killed: desktop found again", startMs);
      expect(await box.init(aliceVm())).toBe(init);
      expect([box.find("auth"), box.find("broker-1"), box.find("broker-2")]).toEqual(workers);
      await visit.leave();
      expect((await askOnce(box.brokerPort, bob)).status).toBe(101);
      lab().note("node killed: another desktop started and connected", startMs);
      await reconnect(visit);
    },
    TEST_MS,
  );

  test(
    "of the node at any moment of a start costs the client who waits for it some time, and no more",
    async () => {
      const { box, bob } = lab();
      for (const delayMs of [50, 400, 900, 1_400]) {
        await box.qvdOk("vm", "stop", "bob-desk");
        expect(await lab().reaches(bob.vmId, "stopped")).toBe(true);
        const asking = askOnce(box.brokerPort, bob);
        await sleep(delayMs);
        await box.killPart("node");
        const { status, tookMs } = await asking;
        expect({ delayMs, status }).toEqual({ delayMs, status: 101 });
        expect(tookMs).toBeLessThan(40_000);
      }
      expect(
        await waitFor(async () => (await lab().openSessions(bob.vmId)).length === 0, { timeoutMs: 60_000 }),
      ).toBe(true);
    },
    2 * TEST_MS,
  );

  test(
    "of a broker ends the wait of its clients and leaves no row of theirs open",
    async () => {
      const { box, bob } = lab();
      await box.qvdOk("vm", "stop", "bob-desk");
      expect(await lab().reaches(bob.vmId, "stopped")).toBe(true);
      const client = await askForSession(box.brokerPort, bob);
      await client.expect(/ 102 /);
      const [session] = await lab().openSessions(bob.vmId);
      await box.killPart(carrier(session?.broker_worker));
      await client.expectEnd();
      const isClosed = async () => (await lab().lastSession(bob.vmId))?.end_cause === "broker-lost";
      expect(await waitFor(isClosed, { timeoutMs: 60_000 })).toBe(true);
      expect((await askOnce(box.brokerPort, bob)).status).toBe(101);
    },
    TEST_MS,
  );

  test(
    "of the broker that carries a session suspends it and closes its row; the person comes back to it",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const [session] = await lab().openSessions(alice.vmId);
      const since = await lab().lastEventId(alice.vmId);
      const windows = await box.findInside(aliceVm(), "xterm");
      const startMs = performance.now();
      await box.killPart(carrier(session?.broker_worker));
      lab().note("broker killed: its successor runs", startMs);
      expect(await waitFor(() => visit.isOver, { timeoutMs: 60_000 })).toBe(true);
      await visit.leave();
      expect(await lab().tells(alice.vmId, "session-ended", since)).toBe(true);
      expect(await lab().lastSession(alice.vmId)).toEqual({ id: session?.id ?? 0, end_cause: "broker-lost" });
      lab().note("broker killed: row closed", startMs);
      expect(await lab().tells(alice.vmId, "session-suspended", since)).toBe(true);
      lab().note("broker killed: row closed, desktop suspended", startMs);
      await reconnect(visit);
      expect(await box.findInside(aliceVm(), "xterm")).toEqual(windows);
    },
    TEST_MS,
  );

  test(
    "of the other broker is not noticed by a session",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const [session] = await lab().openSessions(alice.vmId);
      const startMs = performance.now();
      await box.killPart(session?.broker_worker === "broker-1" ? "broker-2" : "broker-1");
      await expectWork(visit, startMs);
      expect((await lab().openSessions(alice.vmId))[0]?.id).toBe(session?.id ?? 0);
      await visit.leave();
    },
    TEST_MS,
  );

  test(
    "of auth keeps people waiting for seconds at most",
    async () => {
      const { box, alice } = lab();
      const startMs = performance.now();
      await box.killPart("auth");
      const signIn = async () => (await askOnce(box.brokerPort, alice)).status === 101;
      expect(await waitFor(signIn, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      lab().note("auth killed: somebody signed in and connected", startMs);
      expect((await askOnce(box.brokerPort, { ...alice, password: "wrong" })).status).toBe(401);
    },
    TEST_MS,
  );

  test(
    "of admin brings the web admin tool back, with everybody still signed in",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const startMs = performance.now();
      await box.killPart("admin");
      const answers = async () => (await box.qvd(["vm", "list"])).exitCode === 0;
      expect(await waitFor(answers, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      lab().note("admin killed: the API answers", startMs);
      await expectWork(visit, startMs);
      await visit.leave();
    },
    TEST_MS,
  );

  test(
    "of the keeper is noticed by nobody; a new one goes on in its place",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const init = await box.init(aliceVm());
      const startMs = performance.now();
      await box.killPart("keeper");
      await expectWork(visit, startMs);
      expect(await box.init(aliceVm())).toBe(init);
      await visit.leave();
      await reconnect(visit);
    },
    TEST_MS,
  );

  test(
    "of `box run` leaves all of it running; the next one takes it over as it is",
    async () => {
      const { box, alice } = lab();
      const parts: PartName[] = ["db", "node", "admin", "keeper", "auth", "broker-1", "broker-2"];
      const visit = await lab().visit(alice);
      const before = { init: await box.init(aliceVm()), parts: parts.map((part) => box.find(part)) };
      const startMs = performance.now();
      await box.kill();
      await expectWork(visit, startMs);
      await box.start();
      lab().note("box run killed: the next one is ready", startMs);
      expect({ init: await box.init(aliceVm()), parts: parts.map((part) => box.find(part)) }).toEqual(before);
      await expectWork(visit, startMs);
      await visit.leave();
      await reconnect(visit);
      // What was found again is no child of the new one, and looked after all the same.
      await box.killPart("admin");
    },
    TEST_MS,
  );

  /** The stream never stood still since then, and what is typed arrives. */
  async function expectWork(visit: Visit, sinceMs: number): Promise<void> {
    await lab().proveWork(visit, lab().alice);
    expect(visit.longestSilenceMs(sinceMs)).toBeLessThan(SILENCE_MS);
    expect(visit.isOver).toBe(false);
  }

  /** Alice comes back after `before`, works, and leaves. */
  async function reconnect(before: Visit): Promise<void> {
    await before.leave();
    const visit = await lab().visit(lab().alice);
    await lab().proveWork(visit, lab().alice);
    await visit.leave();
  }
}

function carrier(worker: string | undefined): PartName {
  return worker === "broker-1" ? "broker-1" : "broker-2";
}
