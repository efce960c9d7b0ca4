/**
 * Reads what `tar --list --verbose` says of an image, entry by entry, and decides whether it is a root file
 * system that may be unpacked. Unpacking is confined in any case; this is so that a bad image is refused with
 * a clear sentence when it is enrolled, not when somebody waits for a desktop.
 */

export type Inspection = {
  readonly entries: number;
  /** Sum of the files' sizes. */
  readonly unpackedBytes: number;
  /** Why the archive is no good image; undefined when it is one. */
  readonly fault: string | undefined;
};

export interface Inspector {
  /** Takes one line of the listing; null for a line over the bound. */
  take(line: string | null): void;
  finish(): Inspection;
}

const MOST_ENTRIES = 5_000_000;

/** Places of which a root file system has at least one each. Debian's /bin and /sbin are links into /usr. */
const NEEDED = [
  { what: "/etc", paths: ["etc"] },
  { what: "/sbin or /usr/sbin", paths: ["sbin", "usr/sbin"] },
  { what: "/bin/sh", paths: ["bin/sh", "usr/bin/sh"] },
] as const;

// drwxr-xr-x 0/0     0 2024-01-01 00:00:00 ./etc/   (devices: "1,3" for the size)
// Blanks after the time: tar leaves out a fraction's last zeros and makes up for them. A name that begins with
// blanks loses them here, which hides nothing: it is judged as what follows.
const LINE = /^(.)\S+ +\S+ +(\d+(?:,\d+)?) +\S+ \S+ +(.*)$/;

export function createInspector(): Inspector {
  const found = new Set<string>();
  let entries = 0;
  let unpackedBytes = 0;
  let fault: string | undefined;
  const refuse = (why: string) => {
    fault ??= why;
  };
  return {
    take(line) {
      entries += 1;
      if (entries > MOST_ENTRIES) return refuse(`it has more than ${MOST_ENTRIES} entries`);
      const [, type, size, rest] = (line === null ? null : LINE.exec(line)) ?? [];
      if (type === undefined || size === undefined || rest === undefined)
        return refuse("it has an entry that can't be read");
      const { name, target } = splitLink(type, rest);
      if (name.startsWith("/")) return refuse(`it has the absolute path ${name}`);
      if (leadsUp(name)) return refuse(`it has the path ${name}, which leads out of it`);
      if (type === "h" && leadsUp(target)) return refuse(`its link ${name} leads out of it`);
      const path = name.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
      // Devices below /dev are left out when unpacking: a desktop gets its /dev from the container.
      if ((type === "c" || type === "b") && !path.startsWith("dev/"))
        return refuse(`it has the device node ${name}`);
      if (NEEDED.some(({ paths }) => paths.some((needed) => needed === path))) found.add(path);
      if (type === "-") unpackedBytes += Number(size);
    },
    finish() {
      const missing = NEEDED.find(({ paths }) => !paths.some((path) => found.has(path)));
      if (missing !== undefined) refuse(`it is no root file system: ${missing.what} is missing`);
      return { entries, unpackedBytes, fault };
    },
  };
}

function splitLink(type: string, rest: string): { readonly name: string; readonly target: string } {
  const separator = type === "l" ? " -> " : type === "h" ? " link to " : undefined;
  const at = separator === undefined ? -1 : rest.indexOf(separator);
  if (separator === undefined || at === -1) return { name: rest, target: "" };
  return { name: rest.slice(0, at), target: rest.slice(at + separator.length) };
}

function leadsUp(path: string): boolean {
  return path.split("/").includes("..");
}
