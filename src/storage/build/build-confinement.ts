/**
 * Who builds images: an account that owns nothing, in a view of this machine from which everybody's data and
 * all other processes are gone. mmdebstrap makes its user namespace itself, which needs setuid programs; so
 * this can't be bubblewrap, and what isn't needed is covered instead.
 */

import { realpath, stat } from "node:fs/promises";

export const BUILD_ACCOUNT = "qvd-image";

/** Where people and services keep things. What lies on the way to the work folder stays visible. */
const COVERED = [
  "/home",
  "/root",
  "/srv",
  "/mnt",
  "/media",
  "/opt",
  "/var/lib/qvd",
  "/var/backups",
  "/var/mail",
  "/boot",
];

/** What is only covered stays mounted: a desktop's home would be in use, lock and all, until the last program of the build has ended. */
const COVER = `set -e
mounts=$(cat /proc/self/mountinfo)
left=$1
shift
while [ "$left" -gt 0 ]; do
  while read -r _ _ _ _ point _; do
    case $point in "$1"/*) umount --lazy "$point" 2>/dev/null || :;; esac
  done <<END
$mounts
END
  mount -t tmpfs -o size=64k,mode=755 none "$1"
  shift
  left=$((left - 1))
done
exec "$@"`;

export type BuildPlace = {
  readonly workFolder: string;
  /** Of this box, where it isn't one of the usual ones. */
  readonly alsoCovered: readonly string[];
};

/** Words in front of the builder. The caller is root. */
export async function buildConfinement(place: BuildPlace): Promise<readonly string[]> {
  const covered = await listCovered(place);
  return [
    ...["/usr/bin/unshare", "--mount", "--propagation=private", "--ipc", "--uts", "--pid", "--fork"],
    ...["--kill-child=KILL", "--mount-proc", "--"],
    ...["/bin/sh", "-c", COVER, "qvd-build", String(covered.length), ...covered],
    ...["/usr/bin/setpriv", `--reuid=${BUILD_ACCOUNT}`, `--regid=${BUILD_ACCOUNT}`, "--clear-groups"],
    ...["--inh-caps=-all", "--"],
  ];
}

/** As the kernel names them, outermost alone: what lies in one that is covered is there no more to be covered itself. */
async function listCovered({ workFolder, alsoCovered }: BuildPlace): Promise<readonly string[]> {
  const work = await realpath(workFolder);
  const found = new Set<string>();
  for (const path of [...COVERED, ...alsoCovered]) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined || isBelow(work, real) || !(await stat(real)).isDirectory()) continue;
    found.add(real);
  }
  return [...found].filter((path) => ![...found].some((other) => other !== path && isBelow(path, other)));
}

/** Or the folder itself. */
function isBelow(path: string, folder: string): boolean {
  return `${path}/`.startsWith(folder === "/" ? "/" : `${folder}/`);
}
