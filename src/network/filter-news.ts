/**
 * What the kernel tells of changes in the packet filter (nfnetlink's group of nf_tables): each message names its table,
 * and the one that ends a change says who made it. Pure.
 */

import { type NetlinkAnswer, parseAnswers, parseAttributes } from "./netlink-message.ts";

/** Somebody changed what is in one of our tables. */
export type FilterChange = {
  /** Of the thread that did it, such as `nft`. */
  readonly name: string;
  readonly pid: number;
};

const MESSAGE_MASK = 0xff;
const NEW_GENERATION = 15;
/** What comes at each start of a desktop: elements, which are only ever more. */
const NEW_ELEMENT = 12;
const TABLE_NAME = 1;
const GENERATION = { pid: 2, name: 3 } as const;
const NFGENMSG_BYTES = 4;

/** Says of each receipt which changes to `table` ended in it; what a change touched may come in receipts before its end. */
export function createNewsReader(table: string): (bytes: Uint8Array) => readonly FilterChange[] {
  let isTouched = false;
  return (bytes) => {
    const changes: FilterChange[] = [];
    for (const answer of parseAnswers(bytes)) {
      const kind = answer.type & MESSAGE_MASK;
      if (kind === NEW_GENERATION) {
        if (isTouched) changes.push(readMaker(answer));
        isTouched = false;
      } else if (kind !== NEW_ELEMENT && readText(answer, TABLE_NAME) === table) isTouched = true;
    }
    return changes;
  };
}

function readMaker(answer: NetlinkAnswer): FilterChange {
  const value = read(answer, GENERATION.pid);
  const pid =
    value?.length === 4 ? new DataView(value.buffer, value.byteOffset, value.byteLength).getUint32(0) : 0;
  return { name: readText(answer, GENERATION.name), pid };
}

function readText(answer: NetlinkAnswer, attribute: number): string {
  const value = read(answer, attribute) ?? new Uint8Array();
  return Buffer.from(value).toString().replace(/\0.*$/s, "");
}

function read({ body }: NetlinkAnswer, attribute: number): Uint8Array | undefined {
  return parseAttributes(body.subarray(NFGENMSG_BYTES)).find(({ type }) => type === attribute)?.value;
}
