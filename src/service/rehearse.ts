/**
 * What a verb would do, or why it would be refused: it is carried out in full, checks of rights included, and
 * then taken back with its audit row. For `--dry-run`, which else would promise what is refused afterwards.
 */

import { type Context, change } from "./context.ts";

/** Returns what `verb` returned, or throws what it threw; nothing is written either way. */
export async function rehearse<T>(context: Context, verb: (inside: Context) => Promise<T>): Promise<T> {
  const done: { result: T }[] = [];
  const takenBack = new Error("rehearsed");
  try {
    await change(context, { doing: "look whether it would be refused" }, async (inside) => {
      done.push({ result: await verb(inside) });
      throw takenBack;
    });
  } catch (error) {
    const [first] = done;
    if (error !== takenBack || first === undefined) throw error;
    return first.result;
  }
  throw takenBack;
}
