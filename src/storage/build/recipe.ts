/**
 * What an image is made of, as text: a folder with `recipe.toml`, and beside it, where it names them, files to
 * lay into the new root and a script that finishes it. A recipe can ask for Debian's packages, for files, for
 * menu entries and for its script to be run inside the new root; nothing of it ever runs on the machine that
 * builds. `based-on` adds to another recipe.
 */

import { z } from "zod";
import { AppError } from "../../lib/errors.ts";

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be 1 to 32 of a-z 0-9 - and begin with a letter or digit");

/** A name of Debian's, perhaps with an architecture; never an option, a path or a pattern. */
const packageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]{1,99}(:[a-z0-9]{1,20})?$/, "must be the name of a Debian package");

const line = z.string().regex(/^[^\p{Cc}]{1,200}$/u, "must be one line of 1 to 200 characters");

/** Beside `recipe.toml`, never elsewhere. */
const ownFile = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be the name of a file or folder beside recipe.toml");

export const RecipeShape = z
  .object({
    name,
    summary: line,
    "based-on": name.optional(),
    suite: z.enum(["bookworm", "trixie"]).optional(),
    packages: z.array(packageName).max(2000).default([]),
    files: ownFile.optional(),
    customize: ownFile.optional(),
    /** Entries of the desktop's menu for programs that bring none. */
    applications: z
      .array(
        z.strictObject({ id: name, name: line, exec: line, icon: line.optional(), comment: line.optional() }),
      )
      .max(100)
      .default([]),
  })
  .strict();

export type Recipe = z.infer<typeof RecipeShape>;

/** `from` names the file in the error. */
export function parseRecipe(text: string, from: string): Recipe {
  const refuse = (why: string) => new AppError("bad-input", `the recipe ${from} can't be used: ${why}`);
  let value: unknown;
  try {
    value = Bun.TOML.parse(text);
  } catch (cause) {
    throw refuse(`it is not TOML (${cause instanceof Error ? cause.message.split("\n")[0] : cause})`);
  }
  const parsed = RecipeShape.safeParse(value);
  if (parsed.success) return parsed.data;
  // All that whoever repairs it needs; the cause would print it once more, for programs.
  throw refuse(
    parsed.error.issues
      .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
      .join("; "),
  );
}

/** The text of a menu entry. What it names runs in the desktop only. */
export function formatApplication(application: Recipe["applications"][number]): string {
  const { name: title, exec, icon, comment } = application;
  const optional = [
    ...(icon === undefined ? [] : [`Icon=${icon}`]),
    ...(comment === undefined ? [] : [`Comment=${comment}`]),
  ];
  return `${["[Desktop Entry]", "Type=Application", `Name=${title}`, `Exec=${exec}`, ...optional].join("\n")}\n`;
}
