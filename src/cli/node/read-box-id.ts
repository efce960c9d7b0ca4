/**
 * The identity of this box among those of its site: random, made once, kept in the state folder. It tells a
 * box that comes back from a second one that was given the same name, such as the copy of a machine.
 */

import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Makes it when there is none. Node and keeper begin at the same moment and get the same. */
export function readBoxId(stateFolder: string): string {
  const file = `${stateFolder}/box-id`;
  const known = readKnown(file);
  if (known !== undefined) return known;
  const boxId = randomBytes(16).toString("hex");
  const draft = `${file}.new.${process.pid}`;
  // To the disk first: after a power cut an empty one would make it another box.
  writeFileSync(draft, `${boxId}\n`, { mode: 0o644, flush: true });
  try {
    return publish(draft, file) ?? boxId;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Undefined when it is ours that stands there now, else the one of whoever was first. */
function publish(draft: string, file: string): string | undefined {
  try {
    linkSync(draft, file);
    return undefined;
  } catch (error) {
    if (!isOf(error, "EEXIST")) throw error;
    const known = readKnown(file);
    // What is no identity is replaced.
    if (known === undefined) renameSync(draft, file);
    return known;
  }
}

function readKnown(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
  } catch (error) {
    if (isOf(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isOf(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
