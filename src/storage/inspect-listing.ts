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
  /** Known before the end, so that nobody reads a bomb to its end. */
  readonly fault: string | undefined;
  finish(): Inspection;
}

const MOST_ENTRIES = 5_000_000;
const MOST_UNPACKED_BYTES = 512 * 2 ** 30;
/** Systems compress about 4 to 1. What is small may do as it likes: zeros are 30,000 to 1. */
const MOST_RATIO = 100;
const SMALL_BYTES = 4 * 2 ** 30;
/** Of the desktop's own range. */
const MOST_ID = 65_535;
/** Ids from here on are people's. */
const FIRST_PERSON = 1000;
/** Places that people and programs write to: a setuid program has no business there. */
const WRITABLE_PLACES = ["home/", "tmp/", "var/tmp/", "run/", "dev/"];

/** Places of which a root file system has at least one each. Debian's /bin and /sbin are links into /usr. */
const NEEDED = [
  { what: "/etc", paths: ["etc"] },
  { what: "/sbin or /usr/sbin", paths: ["sbin", "usr/sbin"] },
  { what: "/bin/sh", paths: ["bin/sh", "usr/bin/sh"] },
] as const;

// drwxr-xr-x 0/0     0 2024-01-01 00:00:00 ./etc/   (devices: "1,3" for the size)
// Blanks after the time: tar leaves out a fraction's last zeros and makes up for them. A name that begins with
// blanks loses them here, which hides nothing: it is judged as what follows.
const LINE = /^(.)(\S{9})\S* +(\d+)\/(\d+) +(\d+(?:,\d+)?) +\S+ \S+ +(.*)$/;

type Entry = {
  readonly type: string;
  /** As in `rwsr-xr-x`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Undefined for devices. */
  readonly sizeBytes: number | undefined;
  readonly name: string;
  /** The name without what begins and ends it. */
  readonly path: string;
  readonly target: string;
};

/** `archiveBytes` is the size of the file that is listed. */
export function createInspector(archiveBytes: number): Inspector {
  const found = new Set<string>();
  // Links that lead out, if they were followed while unpacking.
  const outward = new Set<string>();
  let entries = 0;
  let unpackedBytes = 0;
  let fault: string | undefined;
  const refuse = (why: string) => {
    fault ??= why;
  };
  const mostBytes = Math.min(MOST_UNPACKED_BYTES, Math.max(SMALL_BYTES, archiveBytes * MOST_RATIO));
  return {
    get fault() {
      return fault;
    },
    take(line) {
      entries += 1;
      if (entries > MOST_ENTRIES) return refuse(`it has more than ${MOST_ENTRIES} entries`);
      const entry = line === null ? undefined : parseLine(line);
      if (entry === undefined) return refuse("it has an entry that can't be read");
      const why = faultOfPath(entry, outward) ?? faultOfKind(entry) ?? faultOfRights(entry);
      if (why !== undefined) return refuse(why);
      const { type, path, sizeBytes } = entry;
      if (type === "l" && leadsOut(path, entry.target)) outward.add(path);
      if (NEEDED.some(({ paths }) => paths.some((needed) => needed === path))) found.add(path);
      if (type === "-") unpackedBytes += sizeBytes ?? 0;
      if (unpackedBytes > mostBytes)
        refuse(
          `its files would take more than ${Math.floor(mostBytes / 2 ** 30)} GB, far more than its size promises`,
        );
    },
    finish() {
      const missing = NEEDED.find(({ paths }) => !paths.some((path) => found.has(path)));
      if (missing !== undefined) refuse(`it is no root file system: ${missing.what} is missing`);
      return { entries, unpackedBytes, fault };
    },
  };
}

function parseLine(line: string): Entry | undefined {
  const [, type, mode, uid, gid, size, rest] = LINE.exec(line) ?? [];
  if (type === undefined || mode === undefined || size === undefined || rest === undefined) return undefined;
  const { name, target } = splitLink(type, rest);
  return {
    type,
    mode,
    uid: Number(uid),
    gid: Number(gid),
    sizeBytes: size.includes(",") ? undefined : Number(size),
    name,
    path: name.replace(/^(\.\/)+/, "").replace(/\/+$/, ""),
    target,
  };
}

function faultOfPath({ name, path, type, target }: Entry, outward: ReadonlySet<string>): string | undefined {
  if (name.startsWith("/")) return `it has the absolute path ${name}`;
  if (leadsUp(name)) return `it has the path ${name}, which leads out of it`;
  if (type === "h" && (target.startsWith("/") || leadsUp(target))) return `its link ${name} leads out of it`;
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
    if (outward.has(path.slice(0, at))) return `it has the path ${name} behind a link that leads out of it`;
  return undefined;
}

function faultOfKind({ type, name, path }: Entry): string | undefined {
  // Devices below /dev are left out when unpacking: a desktop gets its /dev from the container.
  if (type === "c" || type === "b")
    return path.startsWith("dev/") ? undefined : `it has the device node ${name}`;
  return /[-dlhp]/.test(type) ? undefined : `its entry ${name} is of no kind that a file system has`;
}

/** Setuid programs of the image's own root and services are what a system is made of, and reach only as far as the desktop. */
function faultOfRights({ mode, uid, gid, name, path, type }: Entry): string | undefined {
  if (uid > MOST_ID || gid > MOST_ID)
    return `its ${name} belongs to id ${Math.max(uid, gid)}, and a desktop has ids up to ${MOST_ID} only`;
  const isSetuid = /s/i.test(mode.charAt(2));
  const isSetgid = /s/i.test(mode.charAt(5));
  if (type !== "-" || !(isSetuid || isSetgid)) return undefined;
  if (mode.charAt(7) === "w") return `its setuid program ${name} may be written by anybody`;
  if (isSetuid && uid >= FIRST_PERSON) return `its setuid program ${name} belongs to a person (id ${uid})`;
  if (WRITABLE_PLACES.some((place) => path.startsWith(place)))
    return `its setuid program ${name} lies where anybody may put one`;
  return undefined;
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

/** Whether a link's target, seen from where the link lies, is above the root; absolute ones are, on the host. */
function leadsOut(path: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
