/**
 * Starting a program of the system and waiting for its end. Always with a deadline; the output is kept to a
 * bound, so that a program that talks for ever can't fill our memory.
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { AppError } from "./errors.ts";

export type RunOptions = {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** The program has it as its descriptor 3; the caller's own stays the caller's to close. */
  readonly descriptor?: number;
};

export type RunResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

const KEPT_BYTES = 1 << 20;

/** A clean environment for children: nothing of the caller's that could change how a program behaves. */
export const CLEAN_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
};

/** How long a killed program may take to be gone. */
const KILL_MS = 1_000;

/** Runs to the end and returns what was said; a failing exit code is not an error here. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const child = Bun.spawn([...command], {
    env: { ...CLEAN_ENV, ...options.env },
    stdio: [
      options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
      ...(["pipe", "pipe"] as const),
      ...(options.descriptor === undefined ? [] : [options.descriptor]),
    ],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const ended = Promise.all([keep(child.stdout), keep(child.stderr), child.exited]);
  const [stdout, stderr, exitCode] = await orHanging(ended, { name: command[0] ?? "", timeoutMs });
  return { exitCode, stdout, stderr };
}

/** A program that waits in the kernel, such as for a storage that doesn't answer, doesn't end by KILL either. */
async function orHanging<T>(
  ended: Promise<T>,
  { name, timeoutMs }: { readonly name: string; readonly timeoutMs: number },
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hanging = new Promise<never>((_resolve, reject) => {
    const tell = () =>
      reject(new AppError("timeout", `${name} did not end in ${timeoutMs} ms, nor when killed`));
    // One after the other: a machine that stood still for longer than a killed program has gives it that time all the same.
    timer = setTimeout(() => {
      timer = setTimeout(tell, KILL_MS);
    }, timeoutMs);
  });
  try {
    return await Promise.race([ended, hanging]);
  } finally {
    clearTimeout(timer);
  }
}

/** Like `run`, but a failing exit code becomes a `driver-failed` AppError that says `doing` and what the program said. */
export async function runOk(
  doing: string,
  command: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await run(command, options);
  if (result.exitCode === 0) return result.stdout;
  const said = (result.stderr || result.stdout).trim().split("\n").slice(-3).join("; ").slice(0, 600);
  throw new AppError(
    "driver-failed",
    `${doing}: ${command[0]} ended with ${result.exitCode}: ${said || "no message"}`,
  );
}

async function keep(stream: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if (size < KEPT_BYTES) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, KEPT_BYTES).toString("utf8");
}

export type FileRun = {
  /** Undefined when its time was up and all of it was killed. */
  readonly exitCode: number | undefined;
  /** The end of what it said. */
  readonly lastWords: string;
};

const MOST_LAST_BYTES = 2_000;

/**
 * Runs a program that somebody else wrote, with its output at the end of a file: unlike a pipe that lets it
 * leave something running behind. At its deadline its whole process group is killed.
 */
export async function runToFile(
  command: readonly string[],
  options: { readonly logFile: string; readonly timeoutMs: number },
): Promise<FileRun> {
  const log = openSync(options.logFile, "a+", 0o600);
  try {
    const sizeBefore = fstatSync(log).size;
    const child = Bun.spawn([...command], {
      env: { ...CLEAN_ENV },
      cwd: "/",
      stdio: ["ignore", log, log],
      detached: true,
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child.pid);
    }, options.timeoutMs);
    const exitCode = await child.exited;
    clearTimeout(timer);
    const size = fstatSync(log).size;
    const from = Math.max(sizeBefore, size - MOST_LAST_BYTES);
    const bytes = Buffer.alloc(Math.max(0, Math.min(MOST_LAST_BYTES, size - from)));
    readSync(log, bytes, 0, bytes.length, from);
    return { exitCode: isLate ? undefined : exitCode, lastWords: bytes.toString("utf8").trim() };
  } finally {
    closeSync(log);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended just now.
  }
}
