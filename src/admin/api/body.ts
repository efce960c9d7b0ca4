/** The JSON body of a request as fields; what they must be is for the verb to say. */

import { AppError } from "../../lib/errors.ts";
import type { AdminContext } from "../env.ts";

export type Fields = Readonly<Record<string, unknown>>;

export async function readJson(c: AdminContext): Promise<Fields> {
  if (!/^application\/json\b/i.test(c.req.header("Content-Type") ?? "")) {
    throw new AppError("bad-input", "send JSON, with Content-Type: application/json");
  }
  const value: unknown = await c.req.json().catch((cause: unknown) => {
    throw new AppError("bad-input", "the body is not JSON", { cause });
  });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new AppError("bad-input", "the body must be a JSON object");
  }
  return Object.fromEntries(Object.entries(value));
}

/** A body is optional where nothing need be said. */
export async function readOptionalJson(c: AdminContext): Promise<Fields> {
  return (await c.req.text()) === "" ? {} : await readJson(c);
}

/** Only the fields named; what else was sent is not for the verb. */
export function pick<Name extends string>(
  fields: Fields,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  const found: Partial<Record<Name, unknown>> = {};
  for (const name of names) {
    if (fields[name] !== undefined && fields[name] !== null) found[name] = fields[name];
  }
  return found;
}

/**
 * Hands fields to a verb as what it takes. The guarantee is the verb's: it parses its input before it does
 * anything, so the type is what it hopes for and its schema is what holds.
 */
export function unparsed<Input>(fields: Fields): Input {
  return fields as Input;
}
