/**
 * The identity of shared storage: a random id in a file on it. Boxes that read the same id see the same homes;
 * a box whose mount is missing reads none, and then neither keeps nor takes over anything by it.
 */

import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { AppError } from "../../lib/errors.ts";

const NAME = "site.json";

/** Undefined when there is none. */
export async function readSharedId(sharedFolder: string): Promise<string | undefined> {
  const text = await readFile(`${sharedFolder}/${NAME}`, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
    throw cause;
  });
  return text === undefined ? undefined : parseId(text);
}

/** The first box of a site makes it; of several at once one wins. */
export async function ensureSharedId(sharedFolder: string): Promise<string> {
  const found = await readSharedId(sharedFolder);
  if (found !== undefined) return found;
  await mkdir(sharedFolder, { recursive: true });
  const draft = `${sharedFolder}/.${NAME}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify({ id: randomUUID() })}\n`, { mode: 0o644, flush: true });
  try {
    await link(draft, `${sharedFolder}/${NAME}`).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EEXIST") throw cause;
    });
  } finally {
    await rm(draft, { force: true });
  }
  const made = await readSharedId(sharedFolder);
  if (made !== undefined) return made;
  throw new AppError("unavailable", `making ${sharedFolder}/${NAME}: it can't be read back`);
}

/**
 * The identity that this box has worked with, noted in its state folder: a mount that is missing at a start must
 * not be taken for new storage, where everybody's home would be empty. `unavailable` then.
 */
export async function requireSharedId(sharedFolder: string, stateFolder: string): Promise<string> {
  const note = `${stateFolder}/shared-id`;
  const known = (await readFile(note, "utf8").catch(() => "")).trim();
  if (known === "") {
    const id = await ensureSharedId(sharedFolder);
    await writeFile(note, `${id}\n`, { mode: 0o644, flush: true });
    return id;
  }
  const found = await readSharedId(sharedFolder);
  if (found === known) return known;
  throw new AppError(
    "unavailable",
    `looking for the shared storage at ${sharedFolder}: it is not the one that this box has worked with (${found ?? "nothing is there"}). Is it mounted? If the site has moved to another, remove ${note}.`,
  );
}

function parseId(text: string): string | undefined {
  const value: unknown = JSON.parse(text);
  const id: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "id") : undefined;
  return typeof id === "string" && /^[0-9a-f-]{36}$/.test(id) ? id : undefined;
}
