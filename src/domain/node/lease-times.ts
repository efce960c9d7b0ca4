/**
 * The times of the right to run desktops, all derived from one: how long it holds without being renewed. Every
 * box of a site has the same (QVD_LEASE), because one box's promise is another's permission.
 */

export type LeaseTimes = {
  /** Nobody takes over before both halves have been silent for this long. */
  readonly validMs: number;
  readonly rowEveryMs: number;
  readonly counterEveryMs: number;
  /** By its own clock a keeper that renewed nothing stops the desktops' processes so long before the lapse. */
  readonly freezeBeforeMs: number;
  /** And the node process, when its keeper is silent: later, so that it never acts in a living keeper's place. */
  readonly nodeFreezeBeforeMs: number;
  /** A counter that was written so close to the lapse may have come too late to be seen. */
  readonly guardMs: number;
};

export const LEASE_VALID_MS = 10_000;

/** With 10 s: a row each 3 s, a counter each 2 s, frozen after 7.5 s without either. */
export function leaseTimes(validMs: number = LEASE_VALID_MS): LeaseTimes {
  return {
    validMs,
    rowEveryMs: validMs * 0.3,
    counterEveryMs: validMs * 0.2,
    freezeBeforeMs: validMs * 0.25,
    nodeFreezeBeforeMs: validMs * 0.2,
    guardMs: validMs * 0.1,
  };
}
