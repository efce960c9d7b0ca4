/**
 * Where a directory says that a person's home is: a link to the home that the desktop keeps, which stays where it
 * is, so that paths written down elsewhere lead there and nothing lies outside of what is kept.
 */

import { lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, normalize } from "node:path";
import type { Log } from "../lib/log.ts";

/** What belongs to the system: a home there would hide it. */
const SYSTEM = /^\/(bin|boot|dev|etc|lib\w*|proc|root|run|sbin|sys|tmp|usr|var)(\/|$)/;
const MOST_CHARACTERS = 255;

/** A place where a link to a home may stand. */
export function isHomePlace(path: string): boolean {
  return (
    path.length <= MOST_CHARACTERS &&
    /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*){2,8}$/.test(path) &&
    normalize(path) === path &&
    !SYSTEM.test(path)
  );
}

/** Leaves alone whatever is there already. `root` is another than `/` in tests only. */
export function linkHome(
  wanted: string,
  home: string,
  { log, root = "" }: { readonly log: Log; readonly root?: string },
): void {
  if (wanted === home) return;
  if (!isHomePlace(wanted)) {
    log.warn("home-not-linked", { wanted, reason: "no place for a home" });
    return;
  }
  try {
    if (lstatSync(root + wanted, { throwIfNoEntry: false }) !== undefined) return;
    mkdirSync(dirname(root + wanted), { recursive: true, mode: 0o755 });
    symlinkSync(home, root + wanted);
  } catch (error) {
    // The home itself is there, which is what a session needs.
    log.warn("home-not-linked", { wanted, error });
  }
}
