/** The answer to a form that did its work: a sentence for the next page, and the way there. */

import { writeFlash } from "./cookies.ts";
import type { AdminContext } from "./env.ts";
import { BACK_FIELD } from "./ui/form.tsx";
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

/** A path of ours, never another site's: `//host` and `/\host` are what browsers take for one. */
export function localPath(wanted: string | undefined, fallback: string): string {
  return wanted !== undefined && /^\/(?![/\\])[^\\\s]*$/.test(wanted) ? wanted : fallback;
}
