/** Which control groups a host has: version 2 alone, or version 1 with a version 2 hierarchy at its side. Pure. */

import { AppError } from "../../lib/errors.ts";

export type CgroupFacts = {
  /** Text of /proc/self/mountinfo. */
  readonly mountinfo: string;
  /** Text of /proc/1/cgroup. */
  readonly initGroups: string;
  /** Usually /sys/fs/cgroup. */
  readonly mountPoint: string;
};

export type CgroupLayout = {
  readonly unified: string;
  /** Folders below which LXC makes groups. More than there are, perhaps, never fewer. */
  readonly roots: readonly string[];
};

/** `unavailable` where there is no version 2 hierarchy: no other tells of a desktop's end. */
export function findCgroupLayout(facts: CgroupFacts): CgroupLayout {
  const { mountPoint } = facts;
  const mounted = facts.mountinfo
    .split("\n")
    .map((line) => {
      const [place, kind] = line.split(" - ");
      return { folder: place?.split(" ")[4] ?? "", type: kind?.split(" ")[0] ?? "" };
    })
    .filter(({ folder }) => folder === mountPoint || folder.startsWith(`${mountPoint}/`))
    .filter(({ type }) => type === "cgroup" || type === "cgroup2");
  const unified = mounted.find(({ type }) => type === "cgroup2")?.folder;
  if (unified === undefined)
    throw new AppError(
      "unavailable",
      `Looking for control groups: there is no version 2 hierarchy below ${mountPoint}. Mount one (mount -t cgroup2 none ${mountPoint}/unified).`,
    );
  const roots = new Set(mounted.map(({ folder }) => folder));
  // LXC works below the group of the host's first process, without systemd's "init.scope".
  for (const { folder } of mounted)
    for (const group of parseInitGroups(facts.initGroups)) roots.add(`${folder}${group}`);
  return { unified, roots: [...roots] };
}

/** Without those of the root. */
function parseInitGroups(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.split(":").slice(2).join(":"))
    .map((group) => group.replace(/\/init\.scope$/, "").replace(/\/$/, ""))
    .filter((group) => group !== "");
}
