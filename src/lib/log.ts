/**
 * Log lines: one JSON object a line on stderr, named by what happened (`vm-start-refused`). Only the
 * outermost loop of a thing logs its failures; everything below throws.
 */

import { describeError } from "./errors.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields`. */
  with(fields: LogFields): Log;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export type LogOptions = {
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  readonly now: () => Date;
  readonly fields?: LogFields;
};

export function createLog(options: LogOptions): Log {
  const emit = (level: LogLevel, event: string, fields: LogFields = {}) => {
    if (ORDER[level] < ORDER[options.level]) return;
    const line = { at: options.now().toISOString(), level, event, ...options.fields, ...fields };
    options.write(`${JSON.stringify(line, plain)}\n`);
  };
  return {
    debug: (event, fields) => emit("debug", event, fields),
    info: (event, fields) => emit("info", event, fields),
    warn: (event, fields) => emit("warn", event, fields),
    error: (event, fields) => emit("error", event, fields),
    with: (fields) => createLog({ ...options, fields: { ...options.fields, ...fields } }),
  };
}

/** A log that keeps nothing, for tests and for tools that print their own words. */
export function silentLog(): Log {
  return createLog({ level: "error", write: () => {}, now: () => new Date(0) });
}

/** Errors become their sentence and that of their causes; a bigint its digits. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (!(value instanceof Error)) return value;
  return value.cause === undefined
    ? describeError(value)
    : `${describeError(value)} (because: ${describeError(value.cause)})`;
}
