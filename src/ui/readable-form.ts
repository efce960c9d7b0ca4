/** A form that can't be read is its sender's mistake: said so here, before anybody asks it for a field. */

import type { MiddlewareHandler } from "hono";
import { AppError } from "../lib/errors.ts";

const FORM = /^(application\/x-www-form-urlencoded|multipart\/form-data)/i;

/** Reads forms into memory, for whoever comes after. `isExempt`: paths whose bodies are none, whatever they call themselves. */
export function requireReadableForm(isExempt: (path: string) => boolean): MiddlewareHandler {
  return async function readForm(c, next) {
    const isForm = FORM.test(c.req.header("Content-Type") ?? "") && c.req.method === "POST";
    if (isForm && !isExempt(c.req.path)) await parse(() => c.req.parseBody());
    await next();
  };
}

async function parse(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (cause) {
    throw new AppError("bad-input", "The form can't be read. Go back, reload the page and try again.", {
      cause,
    });
  }
}
