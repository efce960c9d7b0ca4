/**
 * What can go wrong on purpose. An AppError is an expected failure: it has a code from one closed union and
 * a sentence for a person that names what was attempted, on which thing, and what to do about it. Anything
 * else that is thrown is a bug. Codes become HTTP statuses in `src/admin` and exit codes in `src/cli`.
 */

export type ErrorCode =
  | "bad-input"
  | "not-signed-in"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "blocked"
  | "unavailable"
  | "timeout"
  | "storage-full"
  | "image-broken"
  | "driver-failed"
  | "guest-failed"
  | "database-away"
  | "superseded"
  | "protocol";

export type AppErrorOptions = {
  readonly cause?: unknown;
  /** Form field or setting that the error is about, when there is one. */
  readonly field?: string;
};

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.field = options.field;
  }
}

export function isAppError(value: unknown): value is AppError {
  return value instanceof AppError;
}

/** What drizzle says of a failed query ends in the values that were to be written: hashes and keys among them. */
const VALUES = /\nparams: [\s\S]*$/;

/** The sentence to show for anything thrown; never a stack, and never a query's values. */
export function describeError(value: unknown): string {
  return value instanceof Error ? value.message.replace(VALUES, "") : String(value);
}

/** A broken invariant is a bug: the loop of the thing concerned stops and says so. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${what}`);
}

/** Closes a switch over a union: a new member that isn't handled doesn't compile. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
