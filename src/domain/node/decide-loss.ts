/**
 * Whether a box that watches another may take its desktops over. Pure; ages are by the watcher's own monotonic
 * clock, but for the row's lapse, which is the database's word. Errs on the side of waiting.
 */

export type LossFacts = {
  /** Since when the watcher has seen the same counter, without a gap in its looking. */
  readonly counterUnchangedForMs: number;
  /** Since when the database has answered it promptly; begins anew when it was away, restarted or promoted. */
  readonly databaseForMs: number;
  readonly row: {
    readonly hasLapsed: boolean;
    /** The box stops its desktops before the lapse. */
    readonly fences: boolean;
  };
  readonly validMs: number;
};

export type LossVerdict = { readonly isLost: boolean; readonly reason: string };

export function decideLoss(facts: LossFacts): LossVerdict {
  const { row, validMs } = facts;
  const no = (reason: string): LossVerdict => ({ isLost: false, reason });
  if (!row.fences) return no("it has never promised to stop its desktops, so they may run there");
  if (!row.hasLapsed) return no("its row in the database is valid");
  if (facts.counterUnchangedForMs < validMs)
    return no(
      `its counter on the shared storage was seen to change ${inSeconds(facts.counterUnchangedForMs)} ago`,
    );
  if (facts.databaseForMs < validMs)
    return no(`the database has been back for ${inSeconds(facts.databaseForMs)} only`);
  return {
    isLost: true,
    reason: `its row has lapsed and its counter has stood still for ${inSeconds(facts.counterUnchangedForMs)}`,
  };
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
