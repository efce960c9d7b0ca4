/**
 * The identity of this box among those of its site: random, made once, kept in the state folder. It tells a
 * box that comes back from a second one that was given the same name, such as the copy of a machine.
 */

import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Makes it when there is none. */
export function readBoxId(stateFolder: string): string {
  const file = `${stateFolder}/box-id`;
  const known = readKnown(file);
  if (known !== undefined) return known;
  const boxId = randomBytes(16).toString("hex");
  writeFileSync(`${file}.new`, `${boxId}\n`, { mode: 0o644 });
  renameSync(`${file}.new`, file);
  return boxId;
}

function readKnown(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
