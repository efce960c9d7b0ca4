/**
 * Whether somebody listens at a TCP port, as the kernel's tables of a network say. The tables themselves are dear: behind
 * those who listen the kernel looks through all that is connected, some milliseconds where there is much memory, however
 * little there is to find. So they are opened only where there is any socket, and read row by row, listeners first: to look
 * while there is nothing costs nothing, and to find the last of those who listen costs such a look once.
 */

import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Where the sockets of each family are counted, and listed. */
const FAMILIES = [
  { counts: "sockstat", name: "TCP", table: "tcp" },
  { counts: "sockstat6", name: "TCP6", table: "tcp6" },
] as const;
/** Of a row of IPv4, and more than is looked at of one of IPv6. A longer read makes the kernel look for more rows. */
const ROW_BYTES = 150;
const LISTENS = "0A";

/** Of the network that `folder` tells of; false where it tells nothing. */
export function isListening(port: number, folder = "/proc/net"): boolean {
  return FAMILIES.some(
    ({ counts, name, table }) =>
      hasSockets(`${folder}/${counts}`, name) && isInTable(`${folder}/${table}`, port),
  );
}

function hasSockets(path: string, name: string): boolean {
  const found = new RegExp(`^${name}: inuse (\\d+)`, "m").exec(readText(path));
  return found !== null && found[1] !== "0";
}

function isInTable(path: string, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readRows(path, (row) => {
    const [, address = "", , state] = row.trim().split(/\s+/);
    // What is read of the row may end within it.
    if (state === undefined || state.length < LISTENS.length) return undefined;
    if (state !== LISTENS) return false;
    return address.endsWith(local) ? true : undefined;
  });
}

/** Hands over each row as far as it was read, until `judge` knows; a row may come twice, the second time with more of it. */
function readRows(path: string, judge: (row: string) => boolean | undefined): boolean {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    // No such family, or no such process any more.
    return false;
  }
  try {
    const bytes = Buffer.alloc(ROW_BYTES);
    let isHead = true;
    for (let rest = ""; ; ) {
      const count = readSync(file, bytes, 0, ROW_BYTES, null);
      if (count === 0) return false;
      const rows = (rest + bytes.toString("latin1", 0, count)).split("\n");
      rest = rows.at(-1) ?? "";
      for (const [index, row] of rows.entries()) {
        const isWhole = index < rows.length - 1;
        const verdict = isHead || row === "" ? undefined : judge(row);
        if (verdict !== undefined) return verdict;
        if (isWhole) isHead = false;
      }
    }
  } catch {
    // Its network ended while it was read.
    return false;
  } finally {
    closeSync(file);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // No such family, or no such process any more.
    return "";
  }
}
