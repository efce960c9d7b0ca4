/** What is mounted, as the kernel tells it in /proc/self/mountinfo (proc(5)). */

import { readFileSync } from "node:fs";

export type Mount = {
  /** Major and minor number of the file system's device, as stat tells them of whatever lies on it. */
  readonly device: string;
  /** What of the file system is mounted: for a bind, the path of its source within it. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fileSystem: string;
  /** The device, or whatever its file system calls itself by. */
  readonly source: string;
  /** Flags of the mount and of its file system: either may forbid writing. */
  readonly isWritable: boolean;
  /** Of an overlay: the folder that is written to. */
  readonly upperFolder?: string;
};

/** In the order of mounting, so that what lies on top comes later. */
export function parseMountinfo(text: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const [place, kind] = line.split(" - ");
    const fields = place?.split(" ") ?? [];
    const [fileSystem, source = "", superOptions] = kind?.split(" ") ?? [];
    const device = fields[2];
    const root = fields[3];
    const mountPoint = fields[4];
    const options = fields[5];
    if (device === undefined || root === undefined || mountPoint === undefined) continue;
    if (options === undefined || fileSystem === undefined) continue;
    mounts.push({
      device,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      fileSystem,
      source: unescapeOctal(source),
      isWritable: !isReadOnly(options) && !isReadOnly(superOptions ?? ""),
      ...upperOf(fileSystem, superOptions ?? ""),
    });
  }
  return mounts;
}

/**
 * What is mounted at or below `folder`. A box has hundreds of mounts, each start looks at its own several times, and most
 * of what there is needs no parsing. Read at once: the kernel makes it of what it has in memory.
 */
export function listMountsBelow(folder: string): readonly Mount[] {
  return parseMountsBelow(folder, readFileSync("/proc/self/mountinfo", "utf8"));
}

/** Of a whole table of mounts, as the kernel writes it. */
export function parseMountsBelow(folder: string, text: string): readonly Mount[] {
  const lines = text.split("\n");
  // A name that the kernel writes otherwise can't be looked for as it is.
  const maybe = /^[\w/.:@+-]*$/.test(folder) ? lines.filter((line) => line.includes(folder)) : lines;
  return parseMountinfo(maybe.join("\n")).filter(
    ({ mountPoint }) => mountPoint === folder || mountPoint.startsWith(`${folder}/`),
  );
}

/** Newer kernels leave `rw` there when an error stopped the writing. */
function isReadOnly(options: string): boolean {
  return options.split(",").some((option) => ["ro", "emergency_ro", "shutdown"].includes(option));
}

/** Blank, tab, newline and backslash are written as three octal digits; other bytes stand as they are. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function upperOf(fileSystem: string, options: string): Pick<Mount, "upperFolder"> {
  const upper = options.split(",").find((option) => option.startsWith("upperdir="));
  if (fileSystem !== "overlay" || upper === undefined) return {};
  return { upperFolder: unescapeOctal(upper.slice("upperdir=".length)) };
}
