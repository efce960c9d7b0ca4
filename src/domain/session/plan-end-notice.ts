/** What the person in a session is told of its announced end, and when: once at each of these times before it. Pure. */

const TOLD_AT_MS = [15, 5, 1].map((minutes) => minutes * 60_000);

export type EndNotice = {
  readonly text: string;
  /** To be given back as `toldAtMs` of the next plan. */
  readonly atMs: number;
};

/**
 * `leftMs`: until the end. `toldAtMs`: what the last notice was for, undefined when there was none. Undefined when
 * there is nothing to say now.
 */
export function planEndNotice(leftMs: number, toldAtMs: number | undefined): EndNotice | undefined {
  if (leftMs <= 0) return undefined;
  const atMs = TOLD_AT_MS.findLast((ms) => leftMs <= ms);
  if (atMs === undefined || (toldAtMs !== undefined && toldAtMs <= atMs)) return undefined;
  const minutes = Math.max(1, Math.round(leftMs / 60_000));
  const when = minutes === 1 ? "in a minute" : `in ${minutes} minutes`;
  return {
    atMs,
    text: `This connection ends ${when}, because the server that carries it is replaced. Your desktop goes on with all that is open in it: connect again at any time to continue.`,
  };
}
