/**
 * Which user ids of the host a desktop gets. Each has a range of its own, so that nothing of one desktop can
 * touch a process or a file of another's, even where both have escaped their containers.
 */

/** The desktop's uid and gid 0 is `first` on the host; `count` ids follow. */
export type IdRange = { readonly first: number; readonly count: number };

const IDS_PER_SLOT = 65_536;

/** Highest slot of a desktop; `vms.id_slot` has the same bound. */
export const LAST_SLOT = 30_000;

/** The range of slot number `slot`. `first` is the box's setting, the same on every box of a site. */
export function idRangeOf(first: number, slot: number): IdRange {
  return { first: first + slot * IDS_PER_SLOT, count: IDS_PER_SLOT };
}

/** Ids under which image archives are unpacked: no desktop ever has them. */
export function unpackRange(first: number): IdRange {
  return idRangeOf(first, LAST_SLOT + 1);
}
