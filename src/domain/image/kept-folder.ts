/**
 * Folders of a desktop's system that outlive its stop, where the OSF keeps some: logs, a spool, what a service
 * has under /srv. They are bound over the fresh system at each start.
 */

/** The box's own mounts, and what must be of this start or of the image. */
const FORBIDDEN = [
  ...["/proc", "/sys", "/dev", "/run", "/home", "/opt/qvd"],
  ...["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/boot"],
];
/** Containers' configurations know no quotes. */
const PLAIN = /^(\/[A-Za-z0-9][A-Za-z0-9._+@-]*)+$/;
const LONGEST = 200;
export const MOST_KEPT_FOLDERS = 16;

/** Why the path can't be kept; undefined when it can. */
export function keptFolderFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "it must be an absolute path inside the desktop";
  if (path === "/") return "to keep all of the system, keep everything";
  if (path.length > LONGEST || !PLAIN.test(path))
    return "each of its parts must begin with a letter or digit, and hold only those and . _ + @ -";
  // /var/run is /run in every image.
  const inside = path.replace(/^\/var\/run(?=\/|$)/, "/run");
  const barred = FORBIDDEN.find((one) => inside === one || inside.startsWith(`${one}/`));
  if (barred !== undefined) return `${barred} is made anew at each start, or belongs to the image`;
  const above = FORBIDDEN.find((one) => one.startsWith(`${inside}/`));
  return above === undefined ? undefined : `${above} lies below it and can't be kept`;
}

export type KeptBind = {
  readonly path: string;
  /** Name of its folder in the store of what is kept. */
  readonly name: string;
};

/** Outer folders before those inside them, each once; those that can't be kept are left out. */
export function listKeptBinds(paths: readonly string[]): readonly KeptBind[] {
  const good = [...new Set(paths)].filter((path) => keptFolderFault(path) === undefined);
  return good.sort().map((path) => ({ path, name: encodeURIComponent(path.slice(1)) }));
}
