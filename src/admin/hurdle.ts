import { isAppError } from "../lib/errors.ts";
import type { Context } from "../service/context.ts";
import { rehearse } from "../service/rehearse.ts";
import { capitalize } from "./form.ts";

/** Why `verb` would be refused as things are, for a page that asks before it does it; undefined when it would be done. */
export async function hurdleOf(
  context: Context,
  verb: (inside: Context) => Promise<unknown>,
): Promise<string | undefined> {
  try {
    await rehearse(context, verb);
    return undefined;
  } catch (error) {
    if (isAppError(error) && error.code === "conflict") return capitalize(error.message);
    throw error;
  }
}
