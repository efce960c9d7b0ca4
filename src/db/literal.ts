/**
 * Values written into SQL itself, as libpq's PQescapeLiteral does. A statement without parameters is one message
 * to the server and back; with them the driver asks for their types first, which is a second round trip.
 * For statements that run thousands of times a second, and nothing else: all other SQL has parameters.
 */

import { invariant } from "../lib/errors.ts";

export type LiteralValue = string | number | boolean | null | readonly number[];

/** Right whatever `standard_conforming_strings` is. Throws for what PostgreSQL has no text of, such as NUL. */
export function formatLiteral(value: LiteralValue): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "string") {
    invariant(!value.includes("\u0000"), "a text for the database holds a NUL");
    return `E'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  }
  return `'{${value.map(formatNumber).join(",")}}'`;
}

function formatNumber(value: number): string {
  invariant(Number.isFinite(value), `${value} is no number for the database`);
  // A sign of its own would join an operator before it.
  return value < 0 ? `(${value})` : String(value);
}
