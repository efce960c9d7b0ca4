/**
 * What PostgreSQL's failures mean to us. Drizzle wraps the driver's errors, so the chain of causes is walked.
 */

import { AppError, isAppError } from "../lib/errors.ts";

/** No server there, or one that goes down, comes up or has no room: the same call may work a moment later. */
const AWAY: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "57P01",
  "57P02",
  "57P03",
  "53300",
  "25P03",
  "08000",
  "08001",
  "08003",
  "08004",
  "08006",
]);

export function isDatabaseAway(error: unknown): boolean {
  return readCodes(error).some((code) => AWAY.has(code));
}

/** Name of the constraint that a write broke (unique, foreign key or check), or undefined. */
export function brokenConstraint(error: unknown): string | undefined {
  for (const link of causes(error)) {
    if (link.code === "23505" || link.code === "23503" || link.code === "23514") {
      return typeof link.constraint_name === "string" ? link.constraint_name : undefined;
    }
  }
  return undefined;
}

export function isPermissionRefused(error: unknown): boolean {
  return readCodes(error).includes("42501");
}

/** Two transactions waited for each other, or one for a lock for too long; the same call may be repeated. */
export function isContended(error: unknown): boolean {
  return readCodes(error).some((code) => code === "40001" || code === "40P01" || code === "55P03");
}

/** The server's connection has the prepared statement as it was before a migration. */
export function isStatementChanged(error: unknown): boolean {
  return readCodes(error).includes("0A000");
}

/** The same, or it doesn't have the statement at all. */
export function isStatementUnknown(error: unknown): boolean {
  return isStatementChanged(error) || readCodes(error).includes("26000");
}

/**
 * What to throw instead of `error` at a border: `database-away` when there is no database to speak to, and
 * `error` itself otherwise. `doing` says what was attempted, as in "list your desktops".
 */
export function describeDatabaseError(doing: string, error: unknown): unknown {
  if (isAppError(error)) return error;
  if (isDatabaseAway(error)) {
    return new AppError(
      "database-away",
      `${doing}: the database can't be reached; it is tried again by itself (see \`qvd node status\`)`,
      { cause: error },
    );
  }
  if (isContended(error)) {
    return new AppError("unavailable", `${doing}: somebody else is changing the same thing; try again`, {
      cause: error,
    });
  }
  return error;
}

/** Longer than any deadline of the server's side: reached only when the server is there and mute. */
const ANSWER_TIMEOUT_MS = 45_000;

/**
 * Runs `query`, and throws what `describeDatabaseError` makes of its failure; `database-away` too when there is
 * no answer for 45 s, as from a server that is frozen or behind a cut network.
 */
export async function attemptDatabase<T>(
  doing: string,
  query: () => Promise<T>,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): Promise<T> {
  const { promise: mute, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new AppError("database-away", `${doing}: the database doesn't answer`)),
    timeoutMs,
  );
  try {
    return await Promise.race([query(), mute]);
  } catch (error) {
    throw describeDatabaseError(doing, error);
  } finally {
    clearTimeout(timer);
  }
}

type Link = Readonly<Record<string, unknown>>;

function readCodes(error: unknown): string[] {
  return causes(error).flatMap((link) => (typeof link.code === "string" ? [link.code] : []));
}

/** The error and its causes, outermost first; bounded, as a chain may be a ring. */
function causes(error: unknown): Link[] {
  const links: Link[] = [];
  let current: unknown = error;
  while (typeof current === "object" && current !== null && links.length < 8) {
    const link: Link = { ...pick(current) };
    links.push(link);
    current = link.cause;
  }
  return links;
}

/** An object's fields of interest, whatever its class; reading them has no side effects. */
function pick(value: object): Link {
  const read = (name: string): unknown => Reflect.get(value, name);
  return { code: read("code"), constraint_name: read("constraint_name"), cause: read("cause") };
}
