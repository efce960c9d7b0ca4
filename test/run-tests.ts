/**
 * Runs everything that can be checked, in the order of what it needs: types, lint, the rules of the house, unit
 * tests, PostgreSQL, and then, one file after another, what needs the kernel, NX or a browser. `bun test` says
 * its numbers in its own way; here they are summed, and the last line is `N passed, N failed`.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  addCounts,
  type Counts,
  excerptFailures,
  type JunitReport,
  NO_COUNTS,
  parseJunit,
  renderCounts,
} from "./support/report.ts";

const ROOT = join(import.meta.dir, "..");
const BUN = process.execPath;
/** Of one group of tests; a hang is a failure. */
const GROUP_MS = 25 * 60_000;
const TEST_MS = "30000";
/** Where a test doesn't say it itself: a desktop, a screen and a browser that a machine with little time starts. */
const SYSTEM_TEST_MS = "120000";
/** For the rest of the output of a child that has ended: something that it started may hold the pipe open. */
const REST_MS = 1000;

const NO_REPORT: JunitReport = { counts: NO_COUNTS, skipped: [], failed: [] };

/** Whoever has no more time for it still gets what was seen so far, as one line with the numbers. */
const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopped.abort(signal));

type Group = { readonly name: string; readonly files: readonly string[]; readonly testMs: string };

const work = await mkdtemp(join(tmpdir(), "qvd-test-run-"));
let total = NO_COUNTS;
const skipped: string[] = [];
/** Of what failed, told once more at the end, where whoever reads a long log looks. */
const failed: string[] = [];
try {
  total = addCounts(total, await runCheck("types", [BUN, "check"]));
  const lint = [BUN, "x", "biome", "check", "--error-on-warnings"];
  total = addCounts(total, await runCheck("lint and format", lint));
  for (const group of await listGroups()) {
    if (stopped.signal.aborted) break;
    const outcome = await runGroup(group);
    total = addCounts(total, outcome.counts);
    skipped.push(...outcome.skipped);
  }
} finally {
  // The cluster that the database tests share; gone already when none of them ran.
  await Bun.spawn([BUN, "test/support/stop-cluster.ts"], { cwd: ROOT, stdout: "ignore", stderr: "ignore" })
    .exited;
  await rm(work, { recursive: true, force: true });
}
if (stopped.signal.aborted) {
  failed.push(`stopped by ${stopped.signal.reason}: not all was run`);
  total = addCounts(total, { ...NO_COUNTS, failed: 1 });
}
for (const name of skipped) console.log(`skipped: ${name}`);
for (const text of failed) console.log(`failed: ${text}`);
console.log(renderCounts(total));
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

async function listGroups(): Promise<readonly Group[]> {
  const folders = ["src", "bench", "script", "appliance", "test/support", "test/fault"];
  const unit = (await Promise.all(folders.map(listTests))).flat();
  const rules = ["test/architecture.test.ts", ...(await listTests("test/architecture"))];
  return [
    { name: "architecture", files: rules, testMs: TEST_MS },
    { name: "unit", files: unit, testMs: TEST_MS },
    { name: "integration", files: await listTests("test/integration"), testMs: TEST_MS },
    // They share the machine's network, control groups and processors: one at a time.
    ...(await listTests("test/system")).map((name) => ({ name, files: [name], testMs: SYSTEM_TEST_MS })),
  ];
}

async function listTests(folder: string): Promise<string[]> {
  const found = await Array.fromAsync(new Bun.Glob(`${folder}/**/*.test.{ts,tsx}`).scan({ cwd: ROOT }));
  return found.sort();
}

async function runGroup(
  group: Group,
): Promise<{ readonly counts: Counts; readonly skipped: readonly string[] }> {
  // A group that is empty was not found: nothing passed would look like all passed.
  if (group.files.length === 0) {
    failed.push(`${group.name}: has no test files`);
    return { counts: { ...NO_COUNTS, failed: 1 }, skipped: [] };
  }
  const report = join(work, `${group.name.replaceAll("/", "_")}.xml`);
  const start = performance.now();
  const { exitCode, output } = await runShown([
    ...[BUN, "test", "--timeout", group.testMs, "--reporter=junit", `--reporter-outfile=${report}`],
    ...group.files.map((file) => `./${file}`),
  ]);
  const file = Bun.file(report);
  const found = (await file.exists()) ? parseJunit(await file.text()) : NO_REPORT;
  // A crash or a file that can't be loaded leaves no failed test behind; it is one all the same.
  const isSilentFailure = exitCode !== 0 && found.counts.failed === 0;
  const counts = isSilentFailure ? { ...found.counts, failed: 1 } : found.counts;
  failed.push(...found.failed.map((test) => `${group.name}: ${test}`));
  if (counts.failed > 0) failed.push(...excerptFailures(output).map((text) => `${group.name}:\n${text}`));
  tell(group.name, counts, start);
  return { counts, skipped: found.skipped };
}

async function runCheck(name: string, command: readonly string[]): Promise<Counts> {
  const start = performance.now();
  const { exitCode, output } = await runShown(command);
  const isRight = exitCode === 0;
  if (!isRight) failed.push(`${name}:\n${output}`);
  const counts = { passed: isRight ? 1 : 0, failed: isRight ? 0 : 1, skipped: 0 };
  tell(name, counts, start);
  return counts;
}

/** Shows what the command prints, in its order, and keeps it. */
async function runShown(
  command: readonly string[],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  if (stopped.signal.aborted) return { exitCode: 1, output: "" };
  const child = Bun.spawn(["sh", "-c", 'exec "$@" 2>&1', "sh", ...command], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: GROUP_MS,
    signal: stopped.signal,
    killSignal: "SIGKILL",
  });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let output = "";
  const reading = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      process.stdout.write(part.value);
      output += decoder.decode(part.value, { stream: true });
    }
  })();
  const exitCode = await child.exited;
  await Promise.race([reading, Bun.sleep(REST_MS)]);
  await reader.cancel();
  return { exitCode, output };
}

function tell(name: string, counts: Counts, start: number): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`== ${name}: ${renderCounts(counts)} (${seconds} s)`);
}
