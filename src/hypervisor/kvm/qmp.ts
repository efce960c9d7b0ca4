/**
 * QEMU's control protocol: JSON lines on a unix socket, which serves one visitor at a time and leaves a second
 * one without a greeting. So a visit is short, and every wait in it has a deadline. What a QEMU answers is not
 * trusted: a guest may have taken it over.
 */

import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { AppError } from "../../lib/errors.ts";
import { LineSplitter } from "../../lib/lines.ts";

export type QmpCommand = (
  execute: string,
  args?: Readonly<Record<string, string | number>>,
) => Promise<unknown>;

const MOST_LINE_BYTES = 1 << 20;

const lineSchema = z.object({
  QMP: z.unknown().optional(),
  return: z.unknown().optional(),
  error: z.object({ desc: z.string() }).optional(),
  event: z.string().optional(),
});

/** Everything of the visit must be over within `timeoutMs`. `unavailable` when nobody answers. */
export async function visitQmp<T>(
  path: string,
  timeoutMs: number,
  use: (command: QmpCommand) => Promise<T>,
): Promise<T> {
  const visit = new Visit(path);
  const timer = setTimeout(() => visit.fail(`it did not answer within ${timeoutMs / 1000} s`), timeoutMs);
  try {
    await visit.greet();
    return await use((execute, args) => visit.command(execute, args));
  } finally {
    clearTimeout(timer);
    visit.close();
  }
}

class Visit {
  readonly #path: string;
  readonly #splitter = new LineSplitter(MOST_LINE_BYTES);
  /** Answers come in the order of the questions, the greeting first. */
  readonly #waiting: PromiseWithResolvers<unknown>[] = [];
  #socket: Bun.Socket | undefined;
  /** Of the socket's place in the file system; kept for as long as the visit, so that it names nothing else. */
  #descriptor: number | undefined;
  #fault: AppError | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async greet(): Promise<void> {
    const greeting = this.#expect();
    this.#descriptor = openSocket(this.#path);
    if (this.#descriptor === undefined) this.fail("nobody listens there");
    Bun.connect({
      unix: `/proc/self/fd/${this.#descriptor}`,
      socket: {
        open: (socket) => {
          if (this.#fault === undefined) this.#socket = socket;
          else socket.terminate();
        },
        data: (_socket, chunk) => {
          for (const line of this.#splitter.push(chunk)) this.#take(line);
        },
        close: () => this.fail("it hung up"),
        error: () => this.fail("the connection broke"),
        connectError: () => this.fail("nobody listens there"),
      },
    }).catch(() => this.fail("nobody listens there"));
    await greeting;
    await this.command("qmp_capabilities");
  }

  command(execute: string, args?: Readonly<Record<string, string | number>>): Promise<unknown> {
    const answer = this.#expect();
    this.#socket?.write(`${JSON.stringify({ execute, ...(args && { arguments: args }) })}\n`);
    return answer;
  }

  fail(why: string): void {
    this.#fault ??= new AppError("unavailable", `Asking the QEMU at ${this.#path}: ${why}`);
    for (const one of this.#waiting.splice(0)) one.reject(this.#fault);
    this.#socket?.terminate();
  }

  close(): void {
    this.fail("the visit is over");
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #expect(): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    if (this.#fault === undefined) this.#waiting.push(answer);
    else answer.reject(this.#fault);
    return answer.promise;
  }

  #take(line: string | null): void {
    const parsed = lineSchema.safeParse(parseJson(line ?? ""));
    if (!parsed.success) {
      this.fail("what it says makes no sense");
      return;
    }
    const { event, error } = parsed.data;
    if (event !== undefined) return;
    const answer = this.#waiting.shift();
    if (error === undefined) answer?.resolve(parsed.data.return);
    else answer?.reject(new AppError("driver-failed", `The QEMU at ${this.#path} refused: ${error.desc}`));
  }
}

/** From fcntl.h; Node has no name for it. */
const O_PATH = 0o10000000;

/**
 * The folder is the QEMU's own: one that its guest has taken over may lay a link there to another machine's socket,
 * and what we ask would be asked of that one.
 */
function openSocket(path: string): number | undefined {
  try {
    const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
    const found = fstatSync(descriptor);
    if (found.isSocket() && found.uid === statSync(dirname(path)).uid) return descriptor;
    closeSync(descriptor);
    return undefined;
  } catch {
    // It isn't there yet, or any more.
    return undefined;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // No JSON is what the schema refuses too.
    return undefined;
  }
}
