/** Does the steps of one desktop in their order, until one fails; the failure is a fact of the next plan. */

import { applyReport } from "../domain/vm/apply-report.ts";
import type { SessionReportPatch, VmAction, VmReportPatch, VmStep } from "../domain/vm/steps.ts";
import { AppError, describeError, isAppError } from "../lib/errors.ts";
import type { LoopDeps } from "./deps.ts";
import type { ActingAction, Executor } from "./execute/executor.ts";
import { EXECUTORS } from "./execute/executors.ts";
import { runHostHookBeside } from "./hooks/host-hooks.ts";
import type { VmMemory } from "./memory.ts";
import type { ReportBatch } from "./report-batch.ts";
import { settleDesktop } from "./settle-desktop.ts";

export type StepDeps = LoopDeps & { readonly reports: Pick<ReportBatch, "write"> };

/** After these what is wished is as it was; others write of it themselves. */
const LEAVES_WISHES: ReadonlySet<VmAction> = new Set([
  "report",
  "report-session",
  "prepare-disks",
  "start-container",
  "ask-poweroff",
  "halt",
  "terminate",
  "kill",
  "clean-up",
]);

/** Never throws: what fails is remembered, logged, and planned for. The caller ends `memory.running`. */
export async function runSteps(deps: StepDeps, memory: VmMemory, steps: readonly VmStep[]): Promise<void> {
  const abort = new AbortController();
  let before: Promise<boolean> | undefined;
  for (const step of steps) {
    const done = attempt(deps, memory, { step, abort });
    if (step.isBeside === true) {
      before = done;
      continue;
    }
    const areDone = await Promise.all([before, done]);
    before = undefined;
    if (areDone.includes(false)) break;
  }
  await before;
}

/** False when it failed. */
async function attempt(
  deps: StepDeps,
  memory: VmMemory,
  { step, abort }: { readonly step: VmStep; readonly abort: AbortController },
): Promise<boolean> {
  const { vmId } = memory.desktop;
  memory.running = { action: step.action, abort };
  const startedMs = deps.clock.monotonicMs();
  try {
    if (step.action === "report") await report(deps, memory, step.args);
    else await act(deps, memory, { step, signal: abort.signal });
    if (!LEAVES_WISHES.has(step.action)) memory.confirmedAtMs = Number.NEGATIVE_INFINITY;
    const tookMs = Math.round(deps.clock.monotonicMs() - startedMs);
    deps.log.debug("step-done", { vmId, action: step.action, reason: step.reason, tookMs });
    return true;
  } catch (error) {
    takeFailure(deps, memory, { step, error });
    return false;
  }
}

async function report(deps: StepDeps, memory: VmMemory, patch: VmReportPatch): Promise<void> {
  const nowMs = deps.clock.monotonicMs();
  const next = applyReport(memory.report, patch, nowMs);
  const { vmId, epoch } = memory.desktop;
  const events = patch.events ?? [];
  if (patch.state === "starting_1") deps.hypervisor.expectStart?.();
  const wishMarks = await deps.reports.write({ vmId, epoch, report: next, events });
  // The plan stands on a ground that is no longer there: none of its further steps is done.
  if (wishMarks === undefined)
    throw new AppError("superseded", `reporting desktop ${vmId}: it is no longer this node's`);
  memory.confirmedAtMs = wishMarks === memory.desktop.wishMarks ? nowMs : Number.NEGATIVE_INFINITY;
  const before = memory.report.state;
  memory.report = next;
  if (next.state !== before) {
    // Nobody needs to wait for it, least of all whoever waits for the session.
    if (next.state === "running") void settleDesktop(deps, vmId);
    runLookingOn(deps, memory);
  }
  for (const event of events) deps.log.info(event.code, { vmId, text: event.text });
  // Elsewhere only the broker of its session waits for news of it.
  deps.tell({ topic: "vm", vmId }, memory.desktop.session === null ? "box" : "site");
}

/** The box's hooks that change nothing. */
function runLookingOn(deps: StepDeps, { desktop, report: { state } }: VmMemory): void {
  const onWritten = () => deps.tell({ topic: "vm", vmId: desktop.vmId });
  if (state === "running") runHostHookBeside({ ...deps, onWritten }, "poststart", { desktop, state });
  if (state === "stopped") runHostHookBeside({ ...deps, onWritten }, "poststop", { desktop, state });
}

type Acting = Exclude<VmStep, { action: "report" }>;

async function act(
  deps: LoopDeps,
  memory: VmMemory,
  what: { readonly step: Acting; readonly signal: AbortSignal },
): Promise<void> {
  const { step, signal } = what;
  if (step.action === "kill") memory.killedAtMs = deps.clock.monotonicMs();
  if (step.action === "start-container") forgetLife(memory);
  await executorOf(step.action)(deps, { desktop: memory.desktop, signal }, step.args);
  if (step.action === "report-session") noteSession(deps, memory, step.args);
  if (step.action === "notify-guest") memory.wasExpiryTold = true;
  if (step.action === "clean-up") {
    memory.cleanUpFailures = 0;
    memory.cleanUpFailedAtMs = undefined;
    deps.earlySessions?.end(memory.desktop.vmId);
    forgetLife(memory);
  }
}

/** Read again, it would say the same. Who is shown a desktop that still boots has a running one's share of the processors. */
function noteSession(deps: LoopDeps, memory: VmMemory, { sessionId, state }: SessionReportPatch): void {
  const { desktop, report } = memory;
  if (desktop.session?.id === sessionId)
    memory.desktop = { ...desktop, session: { ...desktop.session, state } };
  if (state === "listening" && report.state === "starting_2") void settleDesktop(deps, desktop.vmId);
}

/** What belongs to one life of the desktop, from its start to its clean-up. */
function forgetLife(memory: VmMemory): void {
  memory.killedAtMs = undefined;
  memory.agentChangedAtMs = undefined;
  memory.isPoweringOff = false;
  memory.wasVisited = false;
  memory.wasExpiryTold = false;
  memory.network = undefined;
  memory.way = undefined;
}

/** Step and executor have the same action, so that its arguments are those of the executor. */
function executorOf(action: ActingAction): Executor<ActingAction> {
  return EXECUTORS[action] as Executor<ActingAction>;
}

function takeFailure(
  deps: LoopDeps,
  memory: VmMemory,
  what: { readonly step: VmStep; readonly error: unknown },
): void {
  const { step, error } = what;
  const { vmId } = memory.desktop;
  memory.confirmedAtMs = Number.NEGATIVE_INFINITY;
  // Not the desktop's fault, and nothing to count: the loop waits for the database and looks again.
  if (isAppError(error) && error.code === "database-away") {
    deps.log.warn("step-without-database", { vmId, action: step.action });
    return;
  }
  deps.log.warn("step-failed", { vmId, action: step.action, reason: step.reason, error });
  // A report that fails otherwise is a bug of ours; the desktop isn't judged by it.
  if (step.action === "report" || step.action === "report-session") return;
  const code = isAppError(error) ? error.code : "driver-failed";
  memory.failure = { action: step.action, code, text: describeError(error) };
  if (step.action !== "clean-up") return;
  // In doubt whether it may write, a box only waits, for seconds; there is nothing to stand back from.
  memory.cleanUpFailures = code === "unavailable" ? 1 : memory.cleanUpFailures + 1;
  memory.cleanUpFailedAtMs = deps.clock.monotonicMs();
}
