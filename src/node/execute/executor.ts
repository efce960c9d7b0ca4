import type { NodeDesktop } from "../../db/queries/node-desktops.ts";
import type { VmAction, VmStepArgs } from "../../domain/vm/steps.ts";
import type { LoopDeps } from "../deps.ts";

/** What a step is done to. */
export type StepTarget = { readonly desktop: NodeDesktop; readonly signal: AbortSignal };

/** Does one step. May be called again, decides nothing, doesn't retry; throws when it can't. */
export type Executor<Action extends VmAction> = (
  deps: LoopDeps,
  target: StepTarget,
  args: VmStepArgs[Action],
) => Promise<void>;

/** Steps that change the world; those that write what is true are the loop's, which keeps its memory by them. */
export type ActingAction = Exclude<VmAction, "report">;
