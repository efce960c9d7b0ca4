/**
 * The smallest world in which a plan can be carried out: one desktop, a clock, and a fate drawn from a seed
 * that lets steps fail, desktops die and agents vanish. No I/O: thousands of lives a second.
 */

import { asId, type SessionId } from "../../../src/domain/ids.ts";
import { applyReport } from "../../../src/domain/vm/apply-report.ts";
import {
  DEFAULT_POLICY,
  NEVER_REPORTED,
  VM_LIMITS,
  type VmAgent,
  type VmDesired,
  type VmObserved,
  type VmReport,
} from "../../../src/domain/vm/facts.ts";
import { planVm } from "../../../src/domain/vm/plan.ts";
import type { VmEventDraft, VmStep } from "../../../src/domain/vm/steps.ts";
import { needsTurn } from "../../../src/domain/vm/wish.ts";
import { DI } from "../vm-facts.ts";

const NO_AGENT: VmAgent = { isAttached: false, changedAtMs: undefined, xState: "none", isPoweringOff: false };

export class SimWorld {
  readonly #random: () => number;
  nowMs = 1_000_000;
  isCalm = false;
  isAlive = false;
  /** It survives everything but KILL, and that only now and then. */
  isStubborn = false;
  hasLease = true;
  isTurn = true;
  wish: "running" | "stopped" = "stopped";
  generation = 0;
  wishedBy = "user:anna@acme";
  isDeleted = false;
  isGone = false;
  isBlocked = false;
  isUnpacked = false;
  session: VmDesired["session"];
  policy = DEFAULT_POLICY;
  expiresSoftAtMs: number | undefined;
  expiresHardAtMs: number | undefined;
  network: VmObserved["network"];
  wasVisited = false;
  wasExpiryTold = false;
  report: VmReport = { ...NEVER_REPORTED };
  agent: VmAgent = NO_AGENT;
  leftovers: string[] = [];
  failure: VmObserved["failure"];
  killedAtMs: number | undefined;
  cleanUpFailures = 0;
  cleanUpFailedAtMs: number | undefined;
  readonly trail: VmEventDraft[] = [];
  /** Of each life that began. */
  readonly incarnations: number[] = [];
  /** Containers started within this wish. */
  startsOfWish = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  get desired(): VmDesired {
    return {
      wish: this.wish,
      generation: this.generation,
      wishedBy: this.wishedBy,
      blockedReason: this.isBlocked ? "unpaid" : undefined,
      isDeleted: this.isDeleted,
      isBoxStopping: false,
      image: { kind: "ready", diId: DI, isUnpacked: this.isUnpacked },
      session: this.session,
      policy: this.policy,
      expiresSoftAtMs: this.expiresSoftAtMs,
      expiresHardAtMs: this.expiresHardAtMs,
    };
  }

  get observed(): VmObserved {
    const seen = {
      report: this.report,
      isAlive: this.isAlive,
      leftovers: this.leftovers,
      agent: this.agent,
      failure: this.failure,
      queuePosition: 0,
      queueDueAtMs: undefined,
      stopQueuePosition: 0,
      network: this.network,
      wasVisited: this.wasVisited,
      wasExpiryTold: this.wasExpiryTold,
      killedAtMs: this.killedAtMs,
      cleanUpFailures: this.cleanUpFailures,
      cleanUpFailedAtMs: this.cleanUpFailedAtMs,
      hasLease: this.hasLease,
    };
    return needsTurn(this.desired, seen, this.nowMs) && !this.isTurn ? { ...seen, queuePosition: 1 } : seen;
  }

  plan() {
    return planVm(this.desired, this.observed, { nowMs: this.nowMs, limits: VM_LIMITS });
  }

  wishFor(wish: "running" | "stopped"): void {
    this.wishedBy = "user:anna@acme";
    this.wish = wish;
    this.generation++;
    this.startsOfWish = 0;
  }

  /** As its node's SIGKILL: what only the process knew is gone. */
  forget(): void {
    this.failure = undefined;
    this.killedAtMs = undefined;
    this.cleanUpFailures = 0;
    this.cleanUpFailedAtMs = undefined;
  }

  die(): void {
    this.isAlive = false;
    this.agent = { ...NO_AGENT, isPoweringOff: this.agent.isPoweringOff };
  }

  /** Carries steps out until one fails; returns those that were done. */
  carryOut(steps: readonly VmStep[]): readonly VmStep[] {
    this.failure = undefined;
    for (const [index, step] of steps.entries()) {
      this.nowMs += 1;
      const isMishap = !this.isCalm && step.action !== "report" && this.#random() < 0.15;
      if (isMishap) {
        this.failure = { action: step.action, code: "driver-failed", text: `${step.action} failed` };
        if (step.action === "clean-up") {
          this.cleanUpFailures++;
          this.cleanUpFailedAtMs = this.nowMs;
        }
        return steps.slice(0, index);
      }
      this.#carryOut(step);
    }
    return steps;
  }

  #carryOut(step: VmStep): void {
    switch (step.action) {
      case "report":
        this.report = applyReport(this.report, step.args, this.nowMs);
        this.trail.push(...(step.args.events ?? []));
        return;
      case "unpack-image":
        this.isUnpacked = true;
        return;
      case "prepare-disks":
        this.leftovers = ["mount"];
        return;
      case "start-container":
        this.isAlive = true;
        this.#beginLife();
        this.startsOfWish++;
        this.incarnations.push(step.args.incarnation);
        return;
      case "halt":
      case "terminate":
        if (!this.isStubborn) this.die();
        return;
      case "ask-poweroff":
        if (!this.isStubborn && this.#random() < 0.8) this.die();
        return;
      case "kill":
        this.killedAtMs = this.nowMs;
        if (!this.isStubborn || this.#random() < 0.3) this.die();
        return;
      case "clean-up":
        this.leftovers = [];
        this.#beginLife();
        this.forget();
        return;
      case "report-session":
        if (this.session !== undefined) this.session = { ...this.session, state: step.args.state };
        return;
      case "wish-stopped":
        if (step.args.generation < this.generation || this.wish === "stopped") return;
        this.wishFor("stopped");
        this.wishedBy = step.args.cause === "powered-off" ? "vm:1" : `system:${step.args.cause}`;
        return;
      case "delete-row":
        this.isGone = true;
        return;
      case "block":
        this.isBlocked = true;
        return;
      case "clear-expiry":
        this.expiresSoftAtMs = undefined;
        this.expiresHardAtMs = undefined;
        return;
      case "notify-guest":
        this.wasExpiryTold = true;
        return;
      case "prepare-session":
      case "retire-home":
        return;
    }
  }

  #beginLife(): void {
    this.agent = NO_AGENT;
    this.network = undefined;
    this.wasVisited = false;
    this.wasExpiryTold = false;
  }

  requestSession(id: number): void {
    this.wasVisited = this.isAlive;
    this.session = { id: asId<SessionId>(id), state: "requested", requestedAtMs: this.nowMs };
  }

  attachAgent(): void {
    if (this.isAlive)
      this.agent = { ...this.agent, isAttached: true, changedAtMs: this.nowMs, xState: "none" };
  }

  loseAgent(): void {
    if (this.agent.isAttached) this.agent = { ...this.agent, isAttached: false, changedAtMs: this.nowMs };
  }
}
