/** A page of ours, never another site's: `//host` and `/\host` are what browsers take for one. */
export function localPath(wanted: string | undefined): string {
  return wanted !== undefined && /^\/(?![/\\])[^\\\s]*$/.test(wanted) ? wanted : "/";
}
