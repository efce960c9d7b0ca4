/**
 * The desktop's end of one connection of the slave channel. nxagent starts `nx-slave` for each, as the session's user,
 * with the connection as its standard input and output; that script asks `qvd guest slave`, which is this: read the
 * head, answer, and name the program that takes the connection over. So what stays for the life of a shared folder is
 * sshfs, and nothing of ours.
 */

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { NX_DISPLAY } from "../../wire/guest/messages.ts";
import { decideSlaveAnswer, type SlaveAnswer } from "./decide-slave-answer.ts";
import { MOST_HEAD_BYTES, parseSlaveRequest } from "./parse-slave-request.ts";

export type SlaveDoorOptions = {
  /** The connection to read the head from and to answer on. */
  readonly input: number;
  readonly output: number;
  readonly keyFile: string;
  readonly home: string;
};

export type SlaveOutcome = {
  /** What takes the connection over; none when all was said. */
  readonly command: readonly string[];
  /** For the trail, where the desktop is at fault. */
  readonly failure: string | undefined;
};

export const SFTP_SERVER = "/usr/lib/openssh/sftp-server";
const SSHFS = "/usr/bin/sshfs";
/** Where shared folders appear, below the home: QVD 4's `vma.user.shares.path`. */
const SHARES = "Redirected";

/** Whoever connects has its request ready. */
const HEAD_MS = 10_000;
const WAIT_MS = 5;

const REASONS: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  501: "Not Implemented",
};

export function openSlaveDoor(options: SlaveDoorOptions): SlaveOutcome {
  const head = readHead(options.input);
  const request = head === undefined ? undefined : parseSlaveRequest(head);
  const answer: SlaveAnswer =
    request === undefined
      ? { kind: "refuse", status: 400, text: "That is no request." }
      : decideSlaveAnswer(request, readFileSync(options.keyFile, "utf8"));
  switch (answer.kind) {
    case "refuse":
      return say(options, answer.status, answer.text);
    case "mount":
      return mount(options, answer);
    case "serve":
      return serve(options, answer.path);
    case "open":
      return open(options, answer);
  }
}

function mount(options: SlaveDoorOptions, answer: Extract<SlaveAnswer, { kind: "mount" }>): SlaveOutcome {
  const lacks = !existsSync(SSHFS)
    ? "the image has no sshfs"
    : !existsSync("/dev/fuse")
      ? "the desktop has no /dev/fuse"
      : !mayUse("/dev/fuse")
        ? "the desktop's user may not use /dev/fuse; on its node that device is to be open to everybody (0666)"
        : undefined;
  if (lacks !== undefined) return say(options, 501, "Folders can't be shared here.", lacks);
  const place = `${options.home}/${SHARES}/${answer.name}`;
  try {
    prepareFolder(place);
    if (readdirSync(place).length > 0) return say(options, 409, "A folder of that name is there already.");
  } catch (cause) {
    // A file of that name, or a home that takes nothing.
    return say(options, 409, "A folder of that name is there already.", `${place} can't be used: ${cause}`);
  }
  sendHead(options, 101, [`X-QVD-Share-Ticket: ${answer.name}`]);
  const convert =
    answer.charset === undefined ? [] : ["-o", `modules=iconv,from_code=${answer.charset},to_code=UTF-8`];
  return done([SSHFS, "client:", place, "-f", "-o", "passive,idmap=user,fsname=client", ...convert]);
}

/** What a helper that was killed has left mounted is there for nobody: it is taken off first. */
function prepareFolder(place: string): void {
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    readdirSync(place);
  } catch {
    // If that doesn't help, the second try says why.
    Bun.spawnSync(["fusermount3", "-u", "-z", place], { stdio: ["ignore", "ignore", "ignore"] });
    mkdirSync(place, { recursive: true, mode: 0o700 });
  }
}

function serve(options: SlaveDoorOptions, path: string): SlaveOutcome {
  if (!existsSync(SFTP_SERVER))
    return say(options, 501, "Folders can't be served here.", "the image has no openssh-sftp-server");
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    return say(options, 404, "There is no such folder.");
  if (!mayUse(path)) return say(options, 403, "That folder is not yours.");
  sendHead(options, 101, []);
  return done([SFTP_SERVER, "-d", path]);
}

function open(options: SlaveDoorOptions, answer: Extract<SlaveAnswer, { kind: "open" }>): SlaveOutcome {
  const path = `${options.home}/${SHARES}/${answer.name}/${answer.path}`;
  if (!existsSync(path)) return say(options, 404, "There is no such file.");
  if (!existsSync("/usr/bin/xdg-open"))
    return say(options, 501, "Files can't be opened here.", "the image has no xdg-open (Debian: xdg-utils)");
  say(options, 200, "It is being opened.");
  // nxagent's own environment has no display; and the connection isn't the program's to keep open.
  const open = 'exec /usr/bin/xdg-open "$0" < /dev/null > /dev/null 2>&1';
  return done([
    "/usr/bin/setsid",
    "--fork",
    "/usr/bin/env",
    `DISPLAY=:${NX_DISPLAY}`,
    "sh",
    "-c",
    open,
    path,
  ]);
}

/** Byte by byte, so that nothing is taken that is for the program to come. */
function readHead(fd: number): string | undefined {
  const bytes = Buffer.alloc(MOST_HEAD_BYTES);
  const endMs = performance.now() + HEAD_MS;
  for (let size = 0; size < MOST_HEAD_BYTES; ) {
    const count = readByte(fd, { bytes, size, endMs });
    if (count === 0) return undefined;
    size += count;
    const end = /\n\r?\n$/.exec(bytes.toString("latin1", Math.max(0, size - 3), size));
    if (end !== null) return bytes.toString("utf8", 0, size - end[0].length);
  }
  return undefined;
}

/** nxagent's end of the connection may be one that doesn't wait. Zero at its end, or when time is up. */
function readByte(
  fd: number,
  { bytes, size, endMs }: { readonly bytes: Buffer; readonly size: number; readonly endMs: number },
): number {
  while (performance.now() < endMs) {
    try {
      return readSync(fd, bytes, size, 1, null);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return 0;
      Bun.sleepSync(WAIT_MS);
    }
  }
  return 0;
}

function say(options: SlaveDoorOptions, status: number, text: string, failure?: string): SlaveOutcome {
  const body = `${text}\n`;
  sendHead(options, status, ["Content-Type: text/plain", `Content-Length: ${Buffer.byteLength(body)}`], body);
  return { command: [], failure };
}

function sendHead({ output }: SlaveDoorOptions, status: number, headers: readonly string[], body = ""): void {
  const lines = [`HTTP/1.1 ${status} ${REASONS[status] ?? ""}`, ...headers, "", body];
  try {
    writeSync(output, lines.join("\r\n"));
  } catch (error) {
    // Whoever asked has gone. What would take the connection over finds that out for itself.
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}

function done(command: readonly string[]): SlaveOutcome {
  return { command, failure: undefined };
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    // Which is the answer.
    return false;
  }
}
