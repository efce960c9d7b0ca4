/**
 * A hundred desktops wished at once: whether each is told its place and an estimate that holds, whether all of
 * them come up, and what the people who are at work meanwhile feel of it: the round trip of 64 bytes through
 * their sessions, beside the same on the quiet box.
 *
 * The estimate is looked at five times a second as the database tells it, from the moment on at which a third of the
 * desktops run, for each desktop until its turn comes. Its error is how far the told moment is from the true one, as a
 * part of how long that desktop waits in all.
 */

import { inArray, sql } from "drizzle-orm";
import { vmReports } from "../src/db/schema/index.ts";
import type { VmId } from "../src/domain/ids.ts";
import { sleep } from "../src/lib/wait.ts";
import { wishVmRunning } from "../src/service/vm/wish-running.ts";
import { type Bench, type BenchIo, type Figure, figure, median, percentile } from "./bench.ts";
import { type BenchBox, openBenchBox } from "./box.ts";
import { makeEchoImage } from "./echo-image.ts";
import { seatPeople } from "./storm/people-at-work.ts";

const DESKTOPS = 100;
const AT_WORK = 5;
/** As many as the box starts at a time, at most. */
const AT_ONCE = 4;
const QUIET_MS = 20_000;
const LOOK_EVERY_MS = 200;
const STORM_MS = 600_000;

export const stormBench: Bench = {
  name: "storm",
  summary: `${DESKTOPS} desktops wished at once, while ${AT_WORK} sessions are at work`,
  needs: ["lxc"],
  run,
};

async function run(io: BenchIo): Promise<Figure[]> {
  const box = await openBenchBox(io, {
    instance: "benchstm",
    people: DESKTOPS,
    // Room is no matter here: what is measured is their start.
    size: { memoryMb: 160, cpus: 1 },
    second: { people: AT_WORK, makeArchive: makeEchoImage },
  });
  try {
    const people = await seatPeople(box.secondPeople.map((person) => box.whoIs(person)));
    try {
      await sleep(2_000, io.signal);
      const quiet = await people.during(async () => await sleep(QUIET_MS, io.signal));
      io.say(`quiet: p50 ${median(quiet).toFixed(2)} ms, p99 ${percentile(quiet, 0.99).toFixed(2)} ms`);
      let storm: Storm | undefined;
      const busy = await people.during(async () => {
        storm = await raise(io, box);
      });
      if (storm === undefined) throw new Error("the storm was called off");
      return describeStorm(storm, quiet, busy);
    } finally {
      people.leave();
    }
  } finally {
    await box.close();
  }
}

type Look = { readonly atMs: number; readonly dueInMs: number };
type Course = {
  looks: Look[];
  turnMs: number | undefined;
  runningMs: number | undefined;
  wasTold: boolean;
  hasFailed: boolean;
};
type Storm = { readonly courses: readonly Course[]; readonly tookMs: number };

/** Wishes all of them in one breath and follows each until it runs or is given up. */
async function raise(io: BenchIo, box: BenchBox): Promise<Storm> {
  const vmIds = box.people.map((person) => person.vmId);
  const courses = new Map<VmId, Course>(
    vmIds.map((vmId) => [
      vmId,
      { looks: [], turnMs: undefined, runningMs: undefined, wasTold: false, hasFailed: false },
    ]),
  );
  const context = { db: box.database.orm, actor: { kind: "system", what: "bench" } } as const;
  const startedMs = performance.now();
  await Promise.all(vmIds.map((vmId) => wishVmRunning(context, { vmId })));
  box.wake();
  const isOver = (course: Course) => course.runningMs !== undefined || course.hasFailed;
  while (![...courses.values()].every(isOver)) {
    const atMs = performance.now() - startedMs;
    if (atMs > STORM_MS) throw new Error(`the storm was not over in ${STORM_MS / 60_000} minutes`);
    await look(box, courses, atMs);
    await sleep(LOOK_EVERY_MS, io.signal);
  }
  const tookMs = Math.max(...[...courses.values()].map((course) => course.runningMs ?? 0));
  io.say(`storm: over after ${(tookMs / 1000).toFixed(1)} s`);
  return { courses: [...courses.values()], tookMs };
}

async function look(box: BenchBox, courses: ReadonlyMap<VmId, Course>, atMs: number): Promise<void> {
  const rows = await box.database.orm
    .select({
      vmId: vmReports.vmId,
      state: vmReports.state,
      position: vmReports.queuePosition,
      dueInMs: sql<number | null>`(extract(epoch from ${vmReports.queueDueAt} - qvd_now()) * 1000)::float8`,
      faultCode: vmReports.faultCode,
    })
    .from(vmReports)
    .where(inArray(vmReports.vmId, [...courses.keys()]));
  for (const row of rows) {
    const course = courses.get(row.vmId);
    if (course === undefined) continue;
    if (row.position !== null) course.wasTold = true;
    if (row.position !== null && row.dueInMs !== null) course.looks.push({ atMs, dueInMs: row.dueInMs });
    if (row.state !== "stopped" && row.position === null && (course.wasTold || row.state !== "starting_1"))
      course.turnMs ??= atMs;
    if (row.state === "running") course.runningMs ??= atMs;
    if (row.faultCode === "start-given-up") course.hasFailed = true;
  }
}

function describeStorm(
  { courses, tookMs }: Storm,
  quiet: readonly number[],
  busy: readonly number[],
): Figure[] {
  const waited = courses.filter((course) => course.wasTold);
  const runningMs = courses.map((course) => course.runningMs ?? tookMs).sort((one, other) => one - other);
  const thirdMs = runningMs[Math.ceil(runningMs.length / 3) - 1] ?? 0;
  const errors = waited.flatMap(({ looks, turnMs }) =>
    turnMs === undefined
      ? []
      : looks
          .filter(({ atMs }) => atMs >= thirdMs && atMs < turnMs)
          .map(({ atMs, dueInMs }) => ({
            ms: Math.abs(atMs + dueInMs - turnMs),
            turnMs,
            leftMs: turnMs - atMs,
          })),
  );
  const failed = courses.filter((course) => course.hasFailed).length;
  // Of the first few nobody waits: a turn is theirs at once, however long it takes on a busy box.
  const untold = Math.max(0, courses.filter((course) => !course.wasTold).length - AT_ONCE);
  return [
    figure("desktops that failed", "", { ours: failed, goal: { on: "ours", atMost: 0 } }),
    figure("desktops that waited and were not told their place", "", {
      ours: untold,
      goal: { on: "ours", atMost: 0 },
    }),
    figure("estimate's error from the first third on, p90, of the whole wait", "", {
      ours: percentile(
        errors.map(({ ms, turnMs }) => ms / turnMs),
        0.9,
      ),
      goal: { on: "ours", atMost: 0.2 },
    }),
    figure("the same, worst of all looks", "", {
      ours: Math.max(...errors.map(({ ms, turnMs }) => ms / turnMs)),
    }),
    figure("the same of the wait that is left, where that is a second and more, p90", "", {
      ours: percentile(
        errors.flatMap(({ ms, leftMs }) => (leftMs < 1_000 ? [] : [ms / leftMs])),
        0.9,
      ),
    }),
    figure(`${AT_WORK} sessions at work: round trip p99 in the storm`, "ms", {
      ours: percentile(busy, 0.99),
      beside: "the same on the quiet box",
      theirs: percentile(quiet, 0.99),
      goal: { on: "ratio", atMost: 2 },
    }),
    figure("the same, p50", "ms", {
      ours: median(busy),
      beside: "the same on the quiet box",
      theirs: median(quiet),
    }),
    figure(`${DESKTOPS} desktops: wish → the last runs`, "s", { ours: tookMs / 1000 }),
  ];
}
