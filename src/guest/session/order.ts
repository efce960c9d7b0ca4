/** What the node orders of the person's session, and what came of it. */

import type { GuestFault, ToGuest } from "../../wire/guest/messages.ts";

export type PrepareOrder = Extract<ToGuest, { type: "session-prepare" }>;

export type OrderOutcome =
  | { readonly isGood: true }
  | { readonly isGood: false; readonly fault: GuestFault; readonly text: string };

export const DONE: OrderOutcome = { isGood: true };

export function fail(fault: GuestFault, text: string): OrderOutcome {
  return { isGood: false, fault, text };
}
