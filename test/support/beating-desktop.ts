/**
 * An image whose desktops write down that they live: several times a second a line into their home, synced before
 * the next one. `readBeats` reads the lines back. A line has the moment (of the one clock that all nodes of a lab
 * have), a random name of this life, its number in it, and, in a life's first line, the last line it found.
 */

import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { runOk } from "../../src/lib/run.ts";
import { makeTinyRoot, packRoot } from "./tiny-root.ts";

export const BEAT_EVERY_MS = 200;
/** In the home. */
export const BEATS_FILE = "beats";
/** On the desktop's own memory: the last line that the disk has acknowledged. */
export const ACKNOWLEDGED_FILE = "tmp/acknowledged";

/** In the shell's place: the desktop's init is a shell script, and so this runs first. */
const SHELL = `#!/usr/bin/dash
if [ "$$" = 1 ]; then /usr/bin/bash /usr/bin/beat </dev/null >/tmp/beat.log 2>&1 & fi
exec /usr/bin/dash "$@"
`;

/**
 * Tells `report`, a TCP address, of each line after it was synced; a lost connection is made anew. Then leaves
 * something that nobody syncs: pages that are dirty whenever its box is harmed.
 */
const TELL = (report: string) => `
trap '' PIPE
read -r host </proc/sys/kernel/hostname
tell() {
  { printf '%s\\n' "$1" >&3 || { exec 3<>/dev/tcp/${report} && printf '%s\\n' "$1" >&3; }; } 2>/dev/null
  dd if=/dev/zero of=/home/unsynced bs=64k count=8 conv=notrunc status=none
}
`;

/** Since the boot of the one kernel that all containers have. */
const UPTIME = "read -r now _ </proc/uptime";

/** Writes the lines. `readNow` is a command that leaves the moment, in seconds, in `now`. */
export const BEAT = ({
  report,
  readNow = UPTIME,
}: {
  report: string | undefined;
  readNow?: string;
}) => `#!/usr/bin/bash
${report === undefined ? "tell() { :; }" : TELL(report)}
read -r life </proc/sys/kernel/random/uuid
last=none
while read -r line; do last=$line; done </home/${BEATS_FILE}
set -- $last
found=\${2:-none}:\${3:-0}
number=0
while :; do
  number=$((number + 1))
  ${readNow}
  printf '%s %s %s %s\\n' "$now" "$life" "$number" "$found" |
    dd of=/home/${BEATS_FILE} oflag=append conv=notrunc,fsync status=none || { sleep 0.1; number=$((number - 1)); continue; }
  found=-
  printf '%s %s\\n' "$life" "$number" >/tmp/acknowledged.new && mv /tmp/acknowledged.new /${ACKNOWLEDGED_FILE}
  tell "$host $life $number"
  sleep ${BEAT_EVERY_MS / 1000}
done
`;

export type BeatingDesktop = {
  /** The executable that will be its agent. */
  readonly agent: string;
  /** `host/port` that hears each line's desktop, life and number once the disk has acknowledged it. */
  readonly report?: string;
};

/** Packs the image at `path`. */
export async function packBeatingDesktop(path: string, { agent, report }: BeatingDesktop): Promise<void> {
  const scratch = await mkdtemp("/var/tmp/qvd-beating-");
  try {
    const root = `${scratch}/root`;
    await makeTinyRoot(root);
    const linked = await runOk("reading the agent's libraries", ["/usr/bin/ldd", agent]);
    for (const [library] of linked.matchAll(/\/lib\S+/g)) {
      await mkdir(dirname(`${root}/usr${library}`), { recursive: true });
      await copyFile(library, `${root}/usr${library}`);
    }
    await rm(`${root}/usr/bin/sh`);
    await writeFile(`${root}/usr/bin/sh`, SHELL, { mode: 0o755 });
    await writeFile(`${root}/usr/bin/beat`, BEAT({ report }), {
      mode: 0o755,
    });
    await mkdir(dirname(path), { recursive: true });
    // Under its own name only when it is whole.
    await packRoot(root, `${scratch}/image.tar`);
    await copyFile(`${scratch}/image.tar`, `${path}.new`);
    await rename(`${path}.new`, path);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export type Beat = {
  readonly atMs: number;
  readonly life: string;
  readonly number: number;
  /** In the first line of a life: the last line it found, as `life:number`; `none:0` in an empty home. */
  readonly found: string | undefined;
};

export function parseBeats(text: string): readonly Beat[] {
  return text.split("\n").flatMap((line) => {
    const [now, life, number, found] = line.split(" ");
    if (now === undefined || life === undefined || number === undefined || found === undefined) return [];
    return [
      { atMs: Number(now) * 1000, life, number: Number(number), found: found === "-" ? undefined : found },
    ];
  });
}
