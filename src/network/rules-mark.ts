/**
 * What tells whether the rules of the desktop network are those that were loaded: the kernel numbers tables, chains,
 * sets and rules and gives no number twice, so that whatever was taken away or loaded anew has another. Counters don't matter.
 */

import type { Netlink } from "./netlink.ts";
import {
  FLAG_DUMP,
  FLAG_REQUEST,
  type NetlinkRequest,
  parseAttributes,
  renderAttribute,
  renderText,
} from "./netlink-message.ts";
import { readList } from "./read-list.ts";

const SUBSYSTEM = 10;
const FAMILIES = { bridge: 7, inet: 1 } as const;
const TABLE_ATTRIBUTE = 1;
const NFGENMSG_BYTES = 4;

/** How each kind is asked for, and which attributes of its make up the mark. */
const KINDS = [
  // Table, flags (a dormant one does nothing), handle.
  { what: "table", get: 1, marks: [1, 2, 4] },
  // Table, handle, policy.
  { what: "chain", get: 4, marks: [1, 2, 5] },
  { what: "rule", get: 7, marks: [1, 3] },
  { what: "set", get: 10, marks: [1, 16] },
] as const;

/** The same text as long as nobody touches them; some 40 kB of the kernel's are read for it. */
export async function readRulesMark(netlink: Pick<Netlink, "talk">, table: string): Promise<string> {
  const lines: string[] = [];
  for (const [family, number] of Object.entries(FAMILIES))
    for (const { what, get, marks } of KINDS) {
      const doing = "Reading the rules of the desktop network";
      const answers = await readList(netlink, doing, renderListRequest(get, number, table));
      for (const { body } of answers ?? []) {
        const attributes = parseAttributes(body.subarray(NFGENMSG_BYTES));
        const read = (wanted: number) =>
          Buffer.from(attributes.find(({ type }) => type === wanted)?.value ?? []).toString("hex");
        // Tables are all listed, whatever is asked for.
        if (read(TABLE_ATTRIBUTE) === Buffer.from(renderText(table)).toString("hex"))
          lines.push(`${family} ${what} ${marks.map(read).join(" ")}`);
      }
    }
  return lines.join("\n");
}

/** How many rules a mark is of. */
export function countMarkedRules(mark: string): number {
  return mark.split("\n").filter((line) => line.split(" ")[1] === "rule").length;
}

function renderListRequest(get: number, family: number, table: string): NetlinkRequest {
  return {
    type: (SUBSYSTEM << 8) | get,
    flags: FLAG_REQUEST | FLAG_DUMP,
    fixed: new Uint8Array([family, 0, 0, 0]),
    attributes: [renderAttribute(TABLE_ATTRIBUTE, renderText(table))],
  };
}
