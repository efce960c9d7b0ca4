/** What a box can tell of a desktop's own network from outside of the desktop. */

export type PortFault =
  /** The host's end of its cable doesn't exist. */
  | "interface-missing"
  | "not-in-bridge"
  | "interface-down"
  /** The packet filter doesn't let it speak as itself. */
  | "rules-missing"
  /** All is well on the host's side, and nobody answers at its address. */
  | "no-answer";

export type PortHealth =
  | { readonly isOk: true }
  | { readonly isOk: false; readonly code: PortFault; readonly text: string };
