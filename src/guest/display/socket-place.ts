/**
 * A socket that only root can come to, made by a program of the session's user: in a folder that is the user's until it
 * listens, and root's from then on. So nothing can be put in its place later, and what was put there before is the user's
 * own or refused.
 */

import {
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { dirname } from "node:path";

/** Of a folder for each server's socket; `session` is of one that is the session. */
const PREFIXES = { screen: "screen-", session: "session-screen-" } as const;
export type PlaceKind = keyof typeof PREFIXES;
const SOCKET = "rfb";

export type SocketPlace = { readonly folder: string; readonly socket: string };

/** `folder` is root's own. */
export function openPlace(
  folder: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
  kind: PlaceKind = "screen",
): SocketPlace {
  const place = mkdtempSync(`${folder}/${PREFIXES[kind]}`);
  chownSync(place, uid, gid);
  return { folder: place, socket: `${place}/${SOCKET}` };
}

/** Of a socket that was made so. */
export function placeOf(socket: string): SocketPlace {
  return { folder: dirname(socket), socket };
}

/** From the kernel's table of this desktop's network; the flag says that it takes connections. */
export function isListening(socket: string): boolean {
  // Anybody may have a socket whose name ends so, but not in that folder.
  if (!existsSync(socket)) return false;
  const rows = readFileSync("/proc/net/unix", "utf8").split("\n");
  return rows.some((row) => row.endsWith(` ${socket}`) && row.split(/\s+/)[3] === "00010000");
}

/** Makes the folder root's. False when what lies there is not a socket of that user's. */
export function closePlace({ folder, socket }: SocketPlace, uid: number): boolean {
  // Whom the folder belonged to can change nothing in it from here on, not by a descriptor either.
  chownSync(folder, 0, 0);
  try {
    const found = lstatSync(socket);
    return found.isSocket() && found.uid === uid;
  } catch {
    // Taken away before the folder was closed.
    return false;
  }
}

/** Of agents before this one. */
export function removeOldPlaces(folder: string, kind: PlaceKind = "screen"): void {
  for (const name of readdirSync(folder))
    if (name.startsWith(PREFIXES[kind]))
      removePlace({ folder: `${folder}/${name}`, socket: `${folder}/${name}/${SOCKET}` });
}

/** What the user may have put there besides stays, in a folder that is of no use: root follows nothing in it. */
export function removePlace({ folder, socket }: SocketPlace): void {
  for (const remove of [() => unlinkSync(socket), () => rmdirSync(folder)])
    try {
      remove();
    } catch {
      // It never came to be, or the folder holds more.
    }
}
