/** The answer to a form that did its work: a sentence for the next page, and the way there. */

import { type ErrorCode, isAppError } from "../lib/errors.ts";
import { BACK_FIELD } from "../ui/form.tsx";
import { writeFlash } from "./cookies.ts";
import type { AdminContext } from "./env.ts";
import { capitalize } from "./form.ts";
import type { Flash } from "./ui/layout.tsx";

/** To where the form said it came from, else to `fallback`. */
export async function redirectBack(c: AdminContext, fallback: string, flash: Flash): Promise<Response> {
  const wanted = (await c.req.parseBody())[BACK_FIELD];
  return redirectTo(c, localPath(typeof wanted === "string" ? wanted : undefined, fallback), flash);
}

export function redirectTo(c: AdminContext, path: string, flash: Flash): Response {
  writeFlash(c, flash);
  return c.redirect(path, 303);
}

/**
 * Does what a button asked for and goes back to where the button is, with `done` or with the reason why not.
 * What is nobody's fault there (no such thing, no right, no database) is thrown on and gets a page of its own.
 */
export async function executeAndReturn(
  c: AdminContext,
  options: { readonly fallback: string; readonly done: string },
  work: () => Promise<unknown>,
): Promise<Response> {
  try {
    await work();
  } catch (error) {
    if (!isAppError(error) || !RETURNED.has(error.code)) throw error;
    return redirectBack(c, options.fallback, { tone: "bad", text: capitalize(error.message) });
  }
  return redirectBack(c, options.fallback, { tone: "good", text: options.done });
}

const RETURNED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["bad-input", "blocked", "conflict"]);

/** A path of ours, never another site's: `//host` and `/\host` are what browsers take for one. */
export function localPath(wanted: string | undefined, fallback: string): string {
  return wanted !== undefined && /^\/(?![/\\])[^\\\s]*$/.test(wanted) ? wanted : fallback;
}
