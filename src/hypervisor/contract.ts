/**
 * What every driver must do, as tests: a driver's own test file calls `describeHypervisor` with a way to make
 * desktops for it. The fake of the node's tests passes it as the real ones do, or those tests would prove
 * nothing. State of the world is asserted, not calls made; what only one kind of desktop can do to its driver
 * (a frozen control group, a killed monitor) is tried in that driver's own tests.
 */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";
import { sleep, waitFor } from "../lib/wait.ts";
import type { DesktopSpec, Hypervisor } from "./driver.ts";

/** How a test's desktop behaves: `polite` ends at the halt signal, `deaf` has processes that ignore it. */
export type GuestManner = "polite" | "deaf";

/** The time that the suite's own waits go by: the machine's, or one that is driven by hand. */
export interface LabTime {
  nowMs(): number;
  /** True when the condition came about in time. */
  waitFor(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean>;
  pass(ms: number): Promise<void>;
  /** Lets time pass until the work has ended, and returns what it gives or throws. */
  until<T>(work: Promise<T>): Promise<T>;
}

export interface HypervisorLab {
  /** The machine's where none is given. */
  readonly time?: LabTime;
  /** How long a desktop may take to boot or to go down; longer than others where a whole system boots, emulated. */
  readonly patienceMs?: number;
  readonly hypervisor: Hypervisor;
  /** Another driver over the same host, as a node has after its restart. */
  reopen(): Promise<Hypervisor>;
  /** Prepares disks and network of a new desktop with an id that no other has. */
  prepare(manner: GuestManner): Promise<DesktopSpec>;
  /** True once the desktop's agent has been started in its present life. */
  hasBooted(vmId: VmId): Promise<boolean>;
  /** Everything of the desktop that is still on the host, after disks and network were given back. */
  releaseAndCount(vmId: VmId): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

const TIMEOUT_MS = 30_000;
/** Of a test, in which up to three desktops boot and go down. */
const TEST_MS = 500_000;
/** Whoever waits for processes that ignore all else takes five seconds. */
const AT_ONCE_MS = 4_000;

const MACHINE_TIME: LabTime = {
  nowMs: () => performance.now(),
  waitFor: async (condition, timeoutMs) => (await waitFor(condition, { timeoutMs })) === true,
  pass: sleep,
  until: (work) => work,
};

export function describeHypervisor(name: string, makeLab: () => Promise<HypervisorLab>): void {
  setDefaultTimeout(TEST_MS);
  describe(`hypervisor ${name}`, () => {
    let lab: HypervisorLab;
    beforeAll(async () => {
      lab = await makeLab();
    }, 60_000);
    afterAll(() => lab.dispose(), 180_000);
    const context = () => lab;
    describeLife(context);
    describeEnds(context);
    describeFaults(context);
  });
}

type LabOf = () => HypervisorLab;

function describeLife(lab: LabOf): void {
  test("a started desktop is observed alive, by a driver made anew too", async () => {
    const spec = await boot(lab(), "polite");
    for (const hypervisor of [lab().hypervisor, await lab().reopen()])
      expect((await hypervisor.observe()).get(spec.vmId)).toEqual({
        vmId: spec.vmId,
        isAlive: true,
        leftovers: [],
      });
    await finish(lab(), spec.vmId);
  });

  test("observed by name, a desktop is what it is among all, and others are not told of", async () => {
    const one = await boot(lab(), "polite");
    const other = await boot(lab(), "polite");
    const { hypervisor } = lab();
    const seen = async (only?: readonly VmId[]) => (await hypervisor.observe(only)).get(one.vmId);
    expect(await seen([one.vmId])).toEqual(await seen());
    expect((await hypervisor.observe([one.vmId])).has(other.vmId)).toBe(false);
    expect((await hypervisor.observe([])).size).toBe(0);
    await hypervisor.kill(one.vmId);
    expect(await seen([one.vmId])).toEqual(await seen());
    for (const { vmId } of [one, other]) await finish(lab(), vmId);
    expect((await hypervisor.observe([one.vmId, other.vmId])).size).toBe(0);
  });

  test("a living desktop is neither started again nor cleaned up, and takes no harm from the try", async () => {
    const spec = await boot(lab(), "polite");
    await expect(lab().hypervisor.start(spec, never())).rejects.toMatchObject({ code: "conflict" });
    await expect(lab().hypervisor.cleanUp(spec.vmId)).rejects.toMatchObject({ code: "conflict" });
    expect(await isAlive(lab(), spec.vmId)).toBe(true);
    await finish(lab(), spec.vmId);
  });

  test("a driver made anew ends what an earlier one started", async () => {
    const spec = await boot(lab(), "polite");
    await (await lab().reopen()).kill(spec.vmId);
    await expectEnd(lab(), spec.vmId);
    await finish(lab(), spec.vmId);
  });

  test("a desktop starts again after its end without being cleaned up first", async () => {
    const spec = await boot(lab(), "polite");
    await lab().hypervisor.kill(spec.vmId);
    await expectEnd(lab(), spec.vmId);
    await timeOf(lab()).until(lab().hypervisor.start(spec, never()));
    expect(await isAlive(lab(), spec.vmId)).toBe(true);
    await finish(lab(), spec.vmId);
  });
}

function describeEnds(lab: LabOf): void {
  test("halt ends a desktop, and the watcher hears of it", async () => {
    const spec = await boot(lab(), "polite");
    const heard: VmId[] = [];
    const stop = lab().hypervisor.watch((vmId) => heard.push(vmId));
    await lab().hypervisor.halt(spec.vmId);
    await expectEnd(lab(), spec.vmId);
    expect(await timeOf(lab()).waitFor(() => heard.includes(spec.vmId), 10_000)).toBe(true);
    stop();
    await finish(lab(), spec.vmId);
  });

  test("halt ends a desktop with processes that ignore it, within its grace", async () => {
    const spec = await boot(lab(), "deaf");
    await lab().hypervisor.halt(spec.vmId);
    await expectEnd(lab(), spec.vmId);
    await finish(lab(), spec.vmId);
  });

  test("kill ends a desktop with processes that ignore everything else, at once", async () => {
    // One of three does so: a busy machine may do something else for as long.
    const tookMs: number[] = [];
    do {
      const spec = await boot(lab(), "deaf");
      const startedMs = timeOf(lab()).nowMs();
      await lab().hypervisor.kill(spec.vmId);
      await expectEnd(lab(), spec.vmId);
      tookMs.push(timeOf(lab()).nowMs() - startedMs);
      await finish(lab(), spec.vmId);
    } while (tookMs.length < 3 && Math.min(...tookMs) >= AT_ONCE_MS);
    expect(Math.min(...tookMs)).toBeLessThan(AT_ONCE_MS);
  });

  test("a watcher that has stopped hears nothing more, and another goes on hearing", async () => {
    const spec = await boot(lab(), "polite");
    const [gone, staying]: [VmId[], VmId[]] = [[], []];
    const stopFirst = lab().hypervisor.watch((vmId) => gone.push(vmId));
    const stopSecond = lab().hypervisor.watch((vmId) => staying.push(vmId));
    stopFirst();
    await lab().hypervisor.kill(spec.vmId);
    expect(await timeOf(lab()).waitFor(() => staying.includes(spec.vmId), 10_000)).toBe(true);
    expect(gone).toEqual([]);
    stopSecond();
    await finish(lab(), spec.vmId);
  });

  test("the end of one desktop is no matter of another's", async () => {
    const [one, two] = [await boot(lab(), "polite"), await boot(lab(), "polite")];
    await lab().hypervisor.kill(one.vmId);
    await expectEnd(lab(), one.vmId);
    await lab().hypervisor.cleanUp(one.vmId);
    expect(await isAlive(lab(), two.vmId)).toBe(true);
    for (const { vmId } of [one, two]) await finish(lab(), vmId);
  });

  test("terminate ends a polite desktop", async () => {
    const spec = await boot(lab(), "polite");
    await lab().hypervisor.terminate(spec.vmId);
    await expectEnd(lab(), spec.vmId);
    await finish(lab(), spec.vmId);
  });
}

function describeFaults(lab: LabOf): void {
  test("neither settling nor any ending verb does anything to a desktop that doesn't exist", async () => {
    const nobody = asId<VmId>(999_999);
    const { hypervisor } = lab();
    for (const verb of ["settle", "halt", "terminate", "kill", "cleanUp"] as const)
      for (const _again of [1, 2]) await hypervisor[verb](nobody);
    expect((await hypervisor.observe()).has(nobody)).toBe(false);
  });

  test("a start that fails says why and leaves nothing", async () => {
    const spec = await lab().prepare("polite");
    const broken: DesktopSpec =
      spec.kind === "container"
        ? { ...spec, rootFolder: `${spec.rootFolder}-missing` }
        : { ...spec, systemDisk: `${spec.systemDisk}-missing` };
    const fault = await timeOf(lab())
      .until(lab().hypervisor.start(broken, never()))
      .catch((cause: unknown) => cause);
    expect(fault).toBeInstanceOf(AppError);
    expect(fault).toMatchObject({
      code: "driver-failed",
      message: expect.stringContaining(`desktop ${spec.vmId}`),
    });
    expect((await lab().hypervisor.observe()).has(spec.vmId)).toBe(false);
    await finish(lab(), spec.vmId);
  });

  test("a start that was called off leaves nothing", async () => {
    for (const delayMs of [0, 5, 15]) {
      const spec = await lab().prepare("polite");
      const controller = new AbortController();
      const start = lab().hypervisor.start(spec, controller.signal);
      const ending = start.then(
        () => "started",
        () => "called off",
      );
      await timeOf(lab()).pass(delayMs);
      controller.abort();
      const end = await ending;
      // Later it may have been up by then, on a machine that let us wait.
      if (delayMs === 0) expect(end).toBe("called off");
      expect((await lab().hypervisor.observe()).has(spec.vmId)).toBe(end === "started");
      await finish(lab(), spec.vmId);
    }
  });
}

async function boot(lab: HypervisorLab, manner: GuestManner): Promise<DesktopSpec> {
  const spec = await lab.prepare(manner);
  await timeOf(lab).until(lab.hypervisor.start(spec, never()));
  const isUp = await timeOf(lab).waitFor(() => lab.hasBooted(spec.vmId), lab.patienceMs ?? TIMEOUT_MS);
  // One that is late would be in the way of all that follow.
  if (!isUp) await lab.hypervisor.kill(spec.vmId);
  expect(isUp).toBe(true);
  return spec;
}

async function isAlive(lab: HypervisorLab, vmId: VmId): Promise<boolean> {
  return (await lab.hypervisor.observe()).get(vmId)?.isAlive ?? false;
}

async function expectEnd(lab: HypervisorLab, vmId: VmId): Promise<void> {
  expect(
    await timeOf(lab).waitFor(async () => !(await isAlive(lab, vmId)), lab.patienceMs ?? TIMEOUT_MS),
  ).toBe(true);
}

/** Ends what runs and counts what is left on the host: nothing. */
async function finish(lab: HypervisorLab, vmId: VmId): Promise<void> {
  await lab.hypervisor.kill(vmId);
  await expectEnd(lab, vmId);
  await lab.hypervisor.cleanUp(vmId);
  await lab.hypervisor.cleanUp(vmId);
  expect(await lab.releaseAndCount(vmId)).toEqual([]);
}

function timeOf(lab: HypervisorLab): LabTime {
  return lab.time ?? MACHINE_TIME;
}

function never(): AbortSignal {
  return new AbortController().signal;
}
