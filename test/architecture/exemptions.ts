/** What departs from a rule, each with the reason. A reason that no longer holds is deleted with its line. */

/** Files that may be longer than the limit. */
export const LONG_FILES: Readonly<Record<string, string>> = {};

/** Functions that may be longer than the limit, as `path name`. */
export const LONG_FUNCTIONS: Readonly<Record<string, string>> = {};

/** Imports that the table forbids, as `path → target`. */
export const IMPORTS: Readonly<Record<string, string>> = {};

/** Writes by files other than a column's writer, as `path table`. */
export const WRITES: Readonly<Record<string, string>> = {};
