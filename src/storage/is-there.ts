import { lstat } from "node:fs/promises";

/** Whether something has the name, a link that leads nowhere too. Throws when that can't be told. */
export async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    (cause: NodeJS.ErrnoException) => {
      // A storage that doesn't answer is no proof that nothing is there.
      if (cause.code === "ENOENT") return false;
      throw cause;
    },
  );
}
