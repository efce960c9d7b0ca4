/**
 * Runs tar over an image. The image comes from a person we don't trust, so tar never runs with rights on the
 * host: its input is an open descriptor, it has no network and little memory, it dies with us, and it runs
 * either in a sandbox of nothing but programs (to list) or as root of a user namespace whose ids nothing else
 * has, with people's and services' folders covered (to unpack).
 */

import { closeSync, openSync } from "node:fs";
import { LineSplitter } from "../lib/lines.ts";
import { CLEAN_ENV } from "../lib/run.ts";
import { type ArchiveFormat, TAR_OPTIONS } from "./archive-format.ts";

export type TarOptions = {
  readonly archivePath: string;
  readonly format: ArchiveFormat;
  /** What tar shall do, such as `["--list"]`. */
  readonly action: readonly string[];
  /** Words in front of tar that take its rights away. */
  readonly confinement: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Gets each line of the output; null stands for one over the bound. */
  readonly onLine?: (line: string | null) => void;
};

export type TarResult = { readonly exitCode: number; readonly said: string };

const LINE_BYTES = 64 * 1024;
const SAID_BYTES = 4 * 1024;
/** The node itself is kept when memory runs out; what looks at a stranger's file is not worth that. */
const FIRST_TO_GO = ["/usr/bin/choom", "-n", "500", "--"];
/** tar keeps a name of any length whole, and zeros compress 30,000 to one: a small image could take all of the box. */
const MOST_MEMORY = [...FIRST_TO_GO, "/usr/bin/prlimit", `--as=${1536 * 2 ** 20}`, "--"];

/**
 * Desktops' disks, which would be held for as long as the unpacking takes; then what anybody may write to on a host, or keeps
 * his things in: a tar gone wrong finds nothing there.
 */
const LEAVE_HOST = `awk -v folder="$1/" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo | xargs -r umount --lazy -- 2>/dev/null
shift
for path in /tmp /var /run /home /root /srv /mnt /media /opt /etc; do mount -t tmpfs -o size=16k,mode=555 none "$path" || exit 97; done
exec "$@"`;

export type Unpacker = {
  /** A process in the user namespace. */
  readonly pid: number;
  /** Where desktops' disks are mounted. */
  readonly vmsFolder: string;
};

/** To unpack: root of a user namespace, among mounts that only the host's root may change. */
export function unpackingConfinement({ pid, vmsFolder }: Unpacker): readonly string[] {
  return [
    ...["/usr/bin/unshare", "--mount", "--net", "--ipc", "--uts"],
    // The tree is not below the root: it is a mount without a place, and the working folder.
    ...["/bin/sh", "-c", LEAVE_HOST, "qvd-unpack", vmsFolder],
    ...["/usr/bin/nsenter", `--user=/proc/${pid}/ns/user`, "--setuid=0", "--setgid=0"],
    // Asked for last: entering a namespace forgets it.
    ...["/usr/bin/setpriv", "--no-new-privs", "--pdeathsig=KILL", "--"],
  ];
}

/** Returns how tar ended and the last that it said; a failing exit code is not an error here. */
export async function runTar(options: TarOptions): Promise<TarResult> {
  const archive = openSync(options.archivePath, "r");
  try {
    const child = Bun.spawn(
      [
        ...MOST_MEMORY,
        ...options.confinement,
        ...["/usr/bin/tar", ...TAR_OPTIONS[options.format], ...options.action, "--file=-"],
      ],
      {
        env: { ...CLEAN_ENV },
        cwd: options.cwd,
        stdin: archive,
        stdout: "pipe",
        stderr: "pipe",
        timeout: options.timeoutMs,
        killSignal: "SIGKILL",
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
    );
    const [, said, exitCode] = await Promise.all([
      readLines(child.stdout, options.onLine ?? (() => {})),
      readEnd(child.stderr),
      child.exited,
    ]);
    return { exitCode, said };
  } finally {
    closeSync(archive);
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string | null) => void,
): Promise<void> {
  const splitter = new LineSplitter(LINE_BYTES);
  for await (const chunk of stream) for (const line of splitter.push(chunk)) onLine(line);
}

async function readEnd(stream: ReadableStream<Uint8Array>): Promise<string> {
  let end = Buffer.alloc(0);
  for await (const chunk of stream) {
    end = Buffer.concat([end, chunk]);
    if (end.length > SAID_BYTES) end = end.subarray(end.length - SAID_BYTES);
  }
  return end.toString("utf8");
}
