/** How long each part of an order on the X session may take. */

export type SessionLimits = {
  readonly startMs: number;
  /**
   * Of Xvnc: the session of an emulated machine beside others has taken 35 s, and what is begun in its place takes three programs. The node
   * waits 60 s for all.
   */
  readonly ownStartMs: number;
  readonly suspendMs: number;
  /**
   * How long a taken-over client may go by itself, its broker having cut it off: nxagent then suspends in 0.2 s
   * and resumes in 0.1 s; after a SIGHUP it takes 1 to 6 s and 4 s.
   */
  readonly patienceMs: number;
  /** Between TERM and KILL. The node waits 5 s for the answer to a power-off, which comes after both. */
  readonly graceMs: number;
  /** nxagent ends its wait for a client after 60 s; one that has waited so long is not offered to the next. */
  readonly staleListeningMs: number;
  readonly mostOrders: number;
};

export const SESSION_LIMITS: SessionLimits = {
  startMs: 20_000,
  ownStartMs: 40_000,
  suspendMs: 20_000,
  patienceMs: 500,
  graceMs: 4_000,
  staleListeningMs: 40_000,
  mostOrders: 8,
};
