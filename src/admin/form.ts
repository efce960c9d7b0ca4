/** Forms of pages: their text fields, and what was wrong with them. */

import { isAppError } from "../lib/errors.ts";
import { fieldErrors } from "../service/input.ts";
import type { AdminContext } from "./env.ts";

export type FormValues = Readonly<Record<string, string>>;

/** What to show again when a form was refused. Error `""` is about none of its fields. */
export type FormState = {
  readonly values: FormValues;
  readonly errors: Readonly<Record<string, string>>;
};

export const EMPTY_FORM: FormState = { values: {}, errors: {} };

/** Text fields only; of several of one name the last counts. */
export async function readForm(c: AdminContext): Promise<FormValues> {
  const body = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

/** All values of one field, for ticks. */
export async function readFormList(c: AdminContext, name: string): Promise<readonly string[]> {
  const value = (await c.req.parseBody({ all: true }))[name];
  const values = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === "string");
}

/** The fields that were filled in; an empty one means that nothing was said. */
export function filled(values: FormValues): FormValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== ""));
}

/**
 * The form with its errors, when the error is about what was typed; anything else is thrown on. `names` maps
 * the verb's field names to the form's where they differ. Passwords are not shown again.
 */
export function refusedForm(
  error: unknown,
  values: FormValues,
  names: Readonly<Record<string, string>> = {},
): FormState {
  if (!isAppError(error) || !["bad-input", "conflict", "not-found", "blocked"].includes(error.code))
    throw error;
  const found = Object.entries(fieldErrors(error)).map(
    ([field, text]) => [names[field] ?? field, capitalize(stripField(text, field))] as const,
  );
  const errors = found.length > 0 ? Object.fromEntries(found) : { "": capitalize(error.message) };
  const kept = Object.entries(values).filter(([name]) => !name.startsWith("password"));
  return { values: Object.fromEntries(kept), errors };
}

/** Verbs name the field in front, which the form already shows. */
function stripField(text: string, field: string): string {
  return text.startsWith(`${field}: `) ? text.slice(field.length + 2) : text;
}

/** Sentences of verbs begin in lower case, as they also stand behind a colon. */
export function capitalize(text: string): string {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?)]$/.test(sentence) ? sentence : `${sentence}.`;
}
