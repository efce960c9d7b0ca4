/** A recipe with all that it is based on, read from folders that lie side by side. */

import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../lib/errors.ts";
import { parseRecipe, type Recipe } from "./recipe.ts";

export type FoundRecipe = { readonly recipe: Recipe; readonly folder: string };

const MOST_STORIES = 8;
const MOST_FILES = 20_000;

/** The lowest first, the one asked for last. `bad-input` says what is wrong with it. */
export async function readRecipes(folder: string): Promise<readonly FoundRecipe[]> {
  const stories: FoundRecipe[] = [];
  let at = await realpath(folder).catch((cause: unknown) => {
    throw new AppError("bad-input", `there is no recipe folder ${folder}`, { cause });
  });
  for (;;) {
    const recipe = await readOne(at);
    stories.unshift({ recipe, folder: at });
    const below = recipe["based-on"];
    if (below === undefined) return stories;
    if (stories.length === MOST_STORIES)
      throw new AppError(
        "bad-input",
        `the recipe ${folder} is based on itself, or on more than ${MOST_STORIES} others`,
      );
    at = `${dirname(at)}/${below}`;
  }
}

async function readOne(folder: string): Promise<Recipe> {
  const path = `${folder}/recipe.toml`;
  const found = await lstat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new AppError("bad-input", `there is no recipe ${path}`);
  const recipe = parseRecipe(await readFile(path, "utf8"), path);
  await requireOwn(folder, recipe.files, "folder");
  await requireOwn(folder, recipe.customize, "file");
  return recipe;
}

/** A link could name anything of the building machine. */
async function requireOwn(folder: string, name: string | undefined, kind: "file" | "folder"): Promise<void> {
  if (name === undefined) return;
  const found = await lstat(`${folder}/${name}`).catch(() => undefined);
  const isRight = kind === "file" ? found?.isFile() : found?.isDirectory();
  if (!isRight)
    throw new AppError("bad-input", `the recipe ${folder} names ${name}, which is no ${kind} beside it`);
}

/** Changes with anything that the image is made of, Debian's own packages aside. */
export async function hashRecipes(stories: readonly FoundRecipe[], builder: string): Promise<string> {
  const hash = createHash("sha256").update(builder);
  for (const { folder } of stories) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    if (entries.length > MOST_FILES)
      throw new AppError("bad-input", `the recipe ${folder} has too many files`);
    const paths = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
      .sort();
    for (const path of paths) {
      const found = await lstat(path);
      const content = found.isSymbolicLink() ? await readlink(path) : await readFile(path);
      hash.update(`\0${path.slice(folder.length)}\0${found.mode & 0o111}\0`).update(content);
    }
  }
  return hash.digest("hex").slice(0, 16);
}
