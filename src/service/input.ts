/**
 * Input of verbs: parsed once, here, by a zod schema beside each verb. What comes from a form is text, so
 * numbers are taken as text too. The sentences are for people and name the bounds.
 */

import { z } from "zod";
import type {
  AdministratorId,
  DiId,
  NodeId,
  OsfId,
  SessionId,
  TenantId,
  TokenId,
  UserId,
  VisitId,
  VmId,
} from "../domain/ids.ts";
import { AppError } from "../lib/errors.ts";

type AnyId =
  | AdministratorId
  | DiId
  | NodeId
  | OsfId
  | SessionId
  | TenantId
  | TokenId
  | UserId
  | VisitId
  | VmId;

/** Parses, or throws `bad-input` about the first bad field; `fieldErrors` gives all of them. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join(".") ?? "";
  throw new AppError("bad-input", `${field || "input"}: ${issue?.message ?? "is not right"}`, {
    cause: parsed.error,
    ...(field === "" ? {} : { field }),
  });
}

/** The sentence for each bad field of a `bad-input` error, for a form that is shown again. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof AppError)) return {};
  if (error.cause instanceof z.ZodError) {
    const issues = error.cause.issues.map((issue) => [issue.path.join("."), issue.message] as const);
    // Reversed, so that a field's first issue wins.
    return Object.fromEntries(issues.reverse());
  }
  return error.field === undefined ? {} : { [error.field]: error.message };
}

/** A whole number from `least` to `most`, also as text. */
export function wholeNumber(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.preprocess(
    asNumber,
    z.number({ error: message }).int(message).min(least, message).max(most, message),
  );
}

export function decimalNumber(least: number, most: number) {
  const message = `must be a number from ${least} to ${most}`;
  return z.preprocess(asNumber, z.number({ error: message }).min(least, message).max(most, message));
}

/** The id of a noun. The brand is true by construction: the caller names the noun that the field stands for. */
export function idField<Id extends AnyId>() {
  const id = wholeNumber(1, 2 ** 31 - 1).transform((value) => value as Id);
  return z.preprocess((value, context) => {
    if (value !== "") return value;
    // A list from which nothing was chosen sends nothing.
    context.addIssue({ code: "custom", message: "must be chosen" });
    return z.NEVER;
  }, id);
}

/** Text for people, trimmed, on one line. */
export function textField(least: number, most: number) {
  return (
    z
      .string({ error: "must be text" })
      .trim()
      .min(least, least === 1 ? "must not be empty" : `must have at least ${least} characters`)
      .max(most, `must have at most ${most} characters`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
      .regex(/^[^\u0000-\u001f\u007f]*$/, "must not contain control characters")
  );
}

/** Who somebody is: lower case, without what separates a login from its tenant or its password. */
export const loginField = textField(1, 64)
  .toLowerCase()
  .regex(/^[^\s@#:/\\]+$/, "must not contain spaces or any of @ # : / \\");

export const passwordField = z
  .string({ error: "must be text" })
  .min(8, "must have at least 8 characters")
  .max(128, "must have at most 128 characters");

/** What a tag and an image's version look like. */
export const tagField = z
  .string({ error: "must be text" })
  .trim()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "must be 1 to 64 of A-Z a-z 0-9 . _ - and begin with a letter or digit",
  );

function asNumber(value: unknown): unknown {
  return typeof value === "string" && /^\s*-?[0-9]+(\.[0-9]+)?\s*$/.test(value) ? Number(value) : value;
}
