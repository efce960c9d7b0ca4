/**
 * The elements of the packet filter's sets, read and changed in the kernel itself (nfnetlink, as libnftnl writes it): a
 * start would otherwise wait for a program that first reads all of the rules. Rules are `nft`'s alone. How an element's
 * parts become bytes is nf_tables' own way: each padded to whole words, addresses as on the wire.
 */

import { isIPv4 } from "node:net";
import { AppError, invariant } from "../lib/errors.ts";
import { type Netlink, refuseErrors } from "./netlink.ts";
import {
  FLAG_ACK,
  FLAG_CREATE,
  FLAG_DUMP,
  FLAG_REQUEST,
  type NetlinkRequest,
  padded,
  parseAttributes,
  renderAttribute,
  renderNested,
  renderText,
} from "./netlink-message.ts";
import { readList } from "./read-list.ts";

/** Parts of a key, in the set's order. */
export type KeyPart =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "mac"; readonly mac: string }
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "mark"; readonly mark: number };

export type SetElement = {
  readonly set: string;
  readonly key: readonly KeyPart[];
  /** What a map leads to. */
  readonly mark?: number;
};

export type SetChange = { readonly verb: "add" | "delete"; readonly element: SetElement };

/** As the kernel tells it. */
export type KnownElement = { readonly key: Uint8Array; readonly mark: number | undefined };

const NAME_BYTES = 16;
const SUBSYSTEM = 10;
const BRIDGE = 7;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NEW_ELEMENT = (SUBSYSTEM << 8) | 12;
const GET_ELEMENT = (SUBSYSTEM << 8) | 13;
const DELETE_ELEMENT = (SUBSYSTEM << 8) | 14;
/** Of a list of elements: its table, its set, and they. */
const LIST = { table: 1, set: 2, elements: 3 } as const;
const LIST_ELEMENT = 1;
/** Of one element. */
const ELEMENT = { key: 1, data: 2 } as const;
const VALUE = 1;
const ENOENT = 2;

/** Of `table` of the bridges, all or nothing: some hundred at a time, more than the kernel takes at once is refused. */
export async function changeSetElements(
  netlink: Pick<Netlink, "talk">,
  table: string,
  changes: readonly SetChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const doing = "Changing the packet filter of the desktop network";
  const last = changes.length - 1;
  const requests = changes.map((one, index) => renderChange(table, one, index === last));
  const result = await netlink.talk({ doing, requests: [batch(BATCH_BEGIN), ...requests, batch(BATCH_END)] });
  if (result.errors.includes(ENOENT))
    throw new AppError(
      "driver-failed",
      `${doing}: the kernel refuses: ENOENT, somebody has taken its rules away, and they could not be put back; the node's page says why`,
    );
  refuseErrors(doing, result);
  // The last one's acknowledgement comes when all are in force.
  if (result.acknowledged !== 1)
    throw new AppError("driver-failed", `${doing}: the kernel doesn't say that it did`);
}

/** Whether it is there. */
export async function hasSetElement(
  netlink: Pick<Netlink, "talk">,
  table: string,
  element: SetElement,
): Promise<boolean> {
  const doing = "Reading the packet filter of the desktop network";
  const request = elementRequest(GET_ELEMENT, { table, flags: FLAG_REQUEST | FLAG_ACK, element });
  const result = await netlink.talk({ doing, requests: [request] });
  refuseErrors(doing, result, [ENOENT]);
  return result.errors.length === 0;
}

/** All of a set; undefined where there is no such set. */
export async function listSetElements(
  netlink: Pick<Netlink, "talk">,
  table: string,
  set: string,
): Promise<readonly KnownElement[] | undefined> {
  const doing = "Reading the packet filter of the desktop network";
  const attributes = [
    renderAttribute(LIST.table, renderText(table)),
    renderAttribute(LIST.set, renderText(set)),
  ];
  const request = { type: GET_ELEMENT, flags: FLAG_REQUEST | FLAG_DUMP, fixed: ofBridges(), attributes };
  const answers = await readList(netlink, doing, request);
  return answers?.flatMap(({ body }) => parseElements(body.subarray(4)));
}

function parseElements(bytes: Uint8Array): readonly KnownElement[] {
  const elements = parseAttributes(bytes).filter(({ type }) => type === LIST.elements);
  return elements
    .flatMap(({ value }) => parseAttributes(value))
    .flatMap(({ value }): readonly KnownElement[] => {
      const parts = parseAttributes(value);
      const read = (wanted: number) => {
        const part = parts.find(({ type }) => type === wanted);
        return part === undefined
          ? undefined
          : parseAttributes(part.value).find(({ type }) => type === VALUE)?.value;
      };
      const key = read(ELEMENT.key);
      const data = read(ELEMENT.data);
      const mark =
        data?.length === 4 ? new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true) : undefined;
      return key === undefined ? [] : [{ key, mark }];
    });
}

function renderChange(table: string, { verb, element }: SetChange, isLast: boolean): NetlinkRequest {
  const flags = FLAG_REQUEST | (isLast ? FLAG_ACK : 0) | (verb === "add" ? FLAG_CREATE : 0);
  return elementRequest(verb === "add" ? NEW_ELEMENT : DELETE_ELEMENT, { table, flags, element });
}

function elementRequest(
  type: number,
  { table, flags, element }: { readonly table: string; readonly flags: number; readonly element: SetElement },
): NetlinkRequest {
  const { set, key, mark } = element;
  const value = (bytes: Uint8Array) => [renderAttribute(VALUE, bytes)];
  const data = mark === undefined ? [] : [renderNested(ELEMENT.data, value(renderMark(mark)))];
  const parts = [renderNested(ELEMENT.key, value(renderKey(key))), ...data];
  return {
    type,
    flags,
    fixed: ofBridges(),
    attributes: [
      renderAttribute(LIST.table, renderText(table)),
      renderAttribute(LIST.set, renderText(set)),
      renderNested(LIST.elements, [renderNested(LIST_ELEMENT, parts)]),
    ],
  };
}

/** `struct nfgenmsg`: family, version, and of a batch whose it is. */
function batch(type: number): NetlinkRequest {
  return { type, flags: FLAG_REQUEST, fixed: new Uint8Array([0, 0, 0, SUBSYSTEM]) };
}

function ofBridges(): Uint8Array {
  return new Uint8Array([BRIDGE, 0, 0, 0]);
}

export function renderKey(parts: readonly KeyPart[]): Uint8Array {
  const bytes = parts.map(renderPart);
  // A key of one part is as long as that is.
  return bytes.length === 1 && bytes[0] !== undefined ? bytes[0] : Buffer.concat(bytes.map(padded));
}

function renderPart(part: KeyPart): Uint8Array {
  switch (part.kind) {
    case "name": {
      const bytes = new Uint8Array(NAME_BYTES);
      const text = Buffer.from(part.name);
      invariant(text.length < NAME_BYTES, `${part.name} fits the name of an interface`);
      bytes.set(text);
      return bytes;
    }
    case "mac":
      return Buffer.from(part.mac.replaceAll(":", ""), "hex");
    case "address":
      return renderAddress(part.address);
    case "mark":
      return renderMark(part.mark);
  }
}

export function renderAddress(address: string): Uint8Array {
  invariant(isIPv4(address), `${address} is an address`);
  return new Uint8Array(address.split(".").map(Number));
}

function renderMark(mark: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, mark, true);
  return new Uint8Array(view.buffer);
}
