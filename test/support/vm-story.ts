/** A life of one desktop as its trail tells it: what happens is said in a word, what is told is compared word by word. */

import { expect } from "bun:test";
import { SimWorld } from "./sim/world.ts";

export class Story {
  readonly world = new SimWorld(() => 0);
  #told = 0;

  constructor() {
    this.world.isCalm = true;
    this.world.isUnpacked = true;
  }

  /** Lets the node do all that there is to do now. */
  settle(): this {
    for (let round = 0; round < 20; round++) {
      const plan = this.world.plan();
      if (plan.steps.length === 0) return this;
      this.world.carryOut(plan.steps);
    }
    throw new Error("the plan doesn't come to rest");
  }

  /** Lets time pass, and the node look at its end. */
  after(ms: number): this {
    this.world.nowMs += ms;
    return this.settle();
  }

  wish(wish: "running" | "stopped"): this {
    this.world.wishFor(wish);
    return this.settle();
  }

  boot(): this {
    this.world.attachAgent();
    return this.settle();
  }

  run(): this {
    return this.wish("running").boot();
  }

  /** A step that fails, once. */
  failing(action: "start-container" | "unpack-image" | "ask-poweroff" | "clean-up", text: string): this {
    const { steps } = this.world.plan();
    const index = steps.findIndex((step) => step.action === action);
    if (index === -1) throw new Error(`${action} is not in the plan`);
    this.world.carryOut(steps.slice(0, index));
    this.world.failure = { action, code: "driver-failed", text };
    return this;
  }

  /** What was told since the last time. */
  tells(...lines: readonly string[]): this {
    const { trail } = this.world;
    expect(trail.slice(this.#told).map(({ code, text }) => `${code}: ${text}`)).toEqual([...lines]);
    this.#told = trail.length;
    return this;
  }

  skip(): this {
    this.#told = this.world.trail.length;
    return this;
  }
}

export const STARTED = [
  "start-taken: The node starts the desktop: anna@acme asked for it.",
  "disks-ready: Its disks are ready: a fresh system and its home.",
  "container-started: The desktop is switched on and boots; its agent will answer when it has.",
] as const;
export const RUNNING = [
  "agent-connected: The desktop has booted: its agent answers.",
  "desktop-running: The desktop is running.",
] as const;
export const STOPPED = "desktop-stopped: The desktop is stopped; nothing of it is left running.";
