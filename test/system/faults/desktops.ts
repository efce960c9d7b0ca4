/** What goes wrong inside a desktop: its agent, its X server, LXC's monitor, and agents that are none. */

import { expect, test } from "bun:test";
import { asId, type VmId } from "../../../src/domain/ids.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { createBoundlessOsf } from "../../support/boundless-osf.ts";
import { packBabbler, packMute } from "../../support/fault-images.ts";
import { addPerson, type FaultLab } from "../../support/fault-lab.ts";
import { askOnce, type Person } from "../../support/nx-visit.ts";

const SILENCE_MS = 4_000;
const AGENT = "/opt/qvd/qvd guest run";
const NXAGENT = "/usr/bin/nxagent :";
const TEST_MS = 240_000;
/** Three starts of 6 s each, the pauses between, and going down. */
const GIVEN_UP_MS = 120_000;

export function testDesktops(lab: () => FaultLab): void {
  const aliceVm = () => asId<VmId>(lab().alice.vmId);

  test(
    "a killed agent costs the session nothing; it is back and prepares the next one",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const [agent = 0] = await box.findInside(aliceVm(), AGENT);
      const windows = await box.findInside(aliceVm(), "xterm");
      const startMs = performance.now();
      process.kill(agent, "SIGKILL");
      const isBack = async () => {
        const [now] = await box.findInside(aliceVm(), AGENT);
        return now !== undefined && now !== agent;
      };
      expect(await waitFor(isBack, { timeoutMs: 60_000 })).toBe(true);
      lab().note("agent killed: the next one runs", startMs);
      await lab().proveWork(visit, alice);
      expect(visit.longestSilenceMs(startMs)).toBeLessThan(SILENCE_MS);
      await visit.leave();
      await comeBack(alice);
      expect(await box.findInside(aliceVm(), "xterm")).toEqual(windows);
    },
    TEST_MS,
  );

  test(
    "an agent killed while it prepares a session leaves no client without an answer",
    async () => {
      const { box, alice } = lab();
      for (const delayMs of [0, 60, 200]) {
        const asking = askOnce(box.brokerPort, alice);
        await Bun.sleep(delayMs);
        for (const pid of await box.findInside(aliceVm(), AGENT)) process.kill(pid, "SIGKILL");
        const { status, body, tookMs } = await asking;
        if (status !== 101)
          expect({ status, body }).toEqual({ status: 503, body: expect.stringMatching(/agent/i) });
        expect(tookMs).toBeLessThan(40_000);
      }
      await comeBack(alice);
    },
    TEST_MS,
  );

  test(
    "a killed nxagent ends its session, which says so; the next connect gives a new one",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const init = await box.init(aliceVm());
      const since = await lab().lastEventId(alice.vmId);
      const startMs = performance.now();
      for (const pid of await box.findInside(aliceVm(), NXAGENT)) kill(pid);
      expect(await waitFor(() => visit.isOver, { timeoutMs: 60_000 })).toBe(true);
      await visit.leave();
      expect(await lab().tells(alice.vmId, "session-ended", since)).toBe(true);
      expect((await lab().lastSession(alice.vmId))?.end_cause).toBe("desktop-closed");
      await comeBack(alice);
      lab().note("nxagent killed: a new session works", startMs);
      expect(await box.init(aliceVm())).toBe(init);
    },
    TEST_MS,
  );

  test(
    "a killed monitor of LXC takes the desktop with it, which is told; it comes back with the next client",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const startMs = performance.now();
      const since = await lab().lastEventId(alice.vmId);
      const [monitor] = await box.monitors(aliceVm());
      kill(monitor ?? 0);
      expect(await waitFor(() => visit.isOver, { timeoutMs: 60_000 })).toBe(true);
      await visit.leave();
      expect(await lab().tells(alice.vmId, "desktop-crashed", since)).toBe(true);
      await comeBack(alice);
      lab().note("monitor killed: the desktop runs again and is connected", startMs);
      await box.qvdOk("vm", "stop", "alice-desk");
      expect(await lab().reaches(alice.vmId, "stopped", 60_000)).toBe(true);
      await comeBack(alice);
    },
    TEST_MS,
  );

  test(
    "the first process of a desktop killed is a crash: told, cleaned up, and started again",
    async () => {
      const { box, alice } = lab();
      const visit = await lab().visit(alice);
      const since = await lab().lastEventId(alice.vmId);
      const startMs = performance.now();
      const init = await box.init(aliceVm());
      kill(init ?? 0);
      expect(await waitFor(() => visit.isOver, { timeoutMs: 60_000 })).toBe(true);
      await visit.leave();
      expect(await lab().tells(alice.vmId, "desktop-crashed", since)).toBe(true);
      expect(await box.qvdOk("vm", "explain", "alice-desk")).toMatch(/ended although nobody asked for it/);
      await comeBack(alice);
      lab().note("init killed: the desktop runs again and is connected", startMs);
    },
    TEST_MS,
  );

  test("agents that never answer, or only babble, are given up; the client is told, and so is who asks", async () => {
    const { box, scratch, alice } = lab();
    await packMute(`${scratch}/mute.tar`);
    await packBabbler(`${scratch}/babbler.tar`);
    const visit = await lab().visit(alice);
    const startMs = performance.now();
    const lost = await Promise.all([addUseless("mute"), addUseless("babbler")]);
    const answers = await Promise.all(lost.map((person) => askOnce(box.brokerPort, person, GIVEN_UP_MS)));
    lab().note("useless agents: given up", startMs);
    for (const [index, { status, body }] of answers.entries()) {
      const person = lost[index] ?? alice;
      expect({ login: person.login, status }).toEqual({ login: person.login, status: 503 });
      expect(body).toMatch(/Given up after 3 tries: The agent did not answer within 6 s/);
      const told = await box.qvdOk("vm", "explain", `${person.login}-desk`);
      expect(told).toMatch(/Next try in 2 s \(2 of 3\)/);
      expect(told).toMatch(/Given up after 3 tries: The agent did not answer within 6 s of the start/);
      expect(await lab().reaches(person.vmId, "stopped")).toBe(true);
    }
    expect(await lab().openSessions(lost[0]?.vmId)).toEqual([]);
    // Neighbours never noticed.
    await lab().proveWork(visit, alice);
    expect(visit.longestSilenceMs(startMs)).toBeLessThan(SILENCE_MS);
    await visit.leave();
  }, 240_000);

  async function addUseless(name: string): Promise<Person> {
    const { box, scratch } = lab();
    await createBoundlessOsf(box, name, 256);
    await box.qvdOk("image", "add", `${scratch}/${name}.tar`, "--osf", name, "--tag", "default");
    return await addPerson(box, name, name);
  }

  async function comeBack(person: Person): Promise<void> {
    const visit = await lab().visit(person);
    await lab().proveWork(visit, person);
    await visit.leave();
  }
}

function kill(pid: number): void {
  if (pid <= 1) throw new Error("no process was found to kill");
  process.kill(pid, "SIGKILL");
}
