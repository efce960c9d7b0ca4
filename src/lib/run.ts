/**
 * Starting a program of the system and waiting for its end. Always with a deadline; the output is kept to a
 * bound, so that a program that talks for ever can't fill our memory.
 */

import { AppError } from "./errors.ts";

export type RunOptions = {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly uid?: number;
  readonly gid?: number;
};

export type RunResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

const KEPT_BYTES = 1 << 20;

/** A clean environment for children: nothing of the caller's that could change how a program behaves. */
export const CLEAN_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
};

/** Runs to the end and returns what was said; a failing exit code is not an error here. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const child = Bun.spawn([...command], {
    env: { ...CLEAN_ENV, ...options.env },
    stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    keep(child.stdout),
    keep(child.stderr),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
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
