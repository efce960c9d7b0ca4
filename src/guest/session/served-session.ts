/**
 * The person's session on an X server of one kind, and how whoever comes is brought to it: on nxagent (`nx-session.ts`), as
 * NX clients begin it and images of before have it, or on Xvnc (`vnc-session.ts`), as browsers begin it.
 */

import type { XState } from "../../domain/session/x-state.ts";
import type { ScreenSize } from "../../wire/display/control.ts";
import type { LaunchInput } from "./launch.ts";
import type { OrderOutcome, PrepareOrder } from "./order.ts";
import type { SessionRecord } from "./record.ts";

/** Somebody who comes. */
export type Coming = {
  readonly order: PrepareOrder;
  readonly access: "nx" | "browser";
  readonly user: LaunchInput;
  readonly size: ScreenSize;
  /** The line that nxagent is to find. */
  readonly options: string;
  /** Began before its order was known to the node, which may have begun the session as well. */
  readonly isAhead: boolean;
};

export interface ServedSession {
  /** As the node is told: of the NX side; `suspended` where only browsers are at it, or nobody. */
  readonly state: XState;
  /** Of what runs; undefined while nothing does. */
  readonly record: SessionRecord | undefined;
  /** Takes over what an earlier agent started, if it is of this kind and still runs. */
  recover(): void;
  observe(): void;
  prepare(coming: Coming, signal: AbortSignal): Promise<OrderOutcome>;
  /** Has the NX client leave; the person's windows stay. */
  suspend(signal: AbortSignal): Promise<OrderOutcome>;
  /** Ends all; false when something outlives a KILL. */
  end(signal: AbortSignal): Promise<boolean>;
  /** Leaves the session as it is and stops watching. */
  close(): void;
}
