/**
 * Messages to the kernel's network parts and back, as bytes (netlink(7)): a header, a fixed part and attributes, each
 * padded to four bytes. Pure. Numbers are of this machine's order unless a name says otherwise.
 */

export type NetlinkRequest = {
  readonly type: number;
  readonly flags: number;
  /** What stands before the attributes. */
  readonly fixed: Uint8Array;
  readonly attributes?: readonly Uint8Array[];
};

export type NetlinkAnswer = {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
};

export const FLAG_REQUEST = 0x1;
export const FLAG_ACK = 0x4;
export const FLAG_REPLACE = 0x100;
export const FLAG_DUMP = 0x300;
export const FLAG_CREATE = 0x400;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

/** `sequence` is how its answer is known. */
export function renderRequest(request: NetlinkRequest, sequence: number): Uint8Array {
  const body = Buffer.concat([padded(request.fixed), ...(request.attributes ?? [])]);
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint32(0, HEADER_BYTES + body.length, true);
  header.setUint16(4, request.type, true);
  header.setUint16(6, request.flags, true);
  header.setUint32(8, sequence, true);
  return Buffer.concat([new Uint8Array(header.buffer), body]);
}

export function renderAttribute(type: number, value: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(ATTRIBUTE_HEADER_BYTES));
  header.setUint16(0, ATTRIBUTE_HEADER_BYTES + value.length, true);
  header.setUint16(2, type, true);
  return padded(Buffer.concat([new Uint8Array(header.buffer), value]));
}

export function renderNested(type: number, attributes: readonly Uint8Array[]): Uint8Array {
  return renderAttribute(type | NESTED, Buffer.concat(attributes));
}

/** A string with its end mark. */
export function renderText(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}

/** What one receipt brought; what is cut short is left out. */
export function parseAnswers(bytes: Uint8Array): readonly NetlinkAnswer[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const answers: NetlinkAnswer[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const size = view.getUint32(at, true);
    if (size < HEADER_BYTES || at + size > bytes.length) break;
    const body = bytes.slice(at + HEADER_BYTES, at + size);
    const [type, flags] = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
    answers.push({ type, flags, sequence: view.getUint32(at + 8, true), body });
    at += align(size);
  }
  return answers;
}

export type NetlinkAttribute = { readonly type: number; readonly value: Uint8Array };

export function parseAttributes(bytes: Uint8Array): readonly NetlinkAttribute[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes: NetlinkAttribute[] = [];
  for (let at = 0; at + ATTRIBUTE_HEADER_BYTES <= bytes.length; ) {
    const size = view.getUint16(at, true);
    if (size < ATTRIBUTE_HEADER_BYTES || at + size > bytes.length) break;
    const value = bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + size);
    attributes.push({ type: view.getUint16(at + 2, true) & TYPE_MASK, value });
    at += align(size);
  }
  return attributes;
}

/** Filled up with zeros to whole words. */
export function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const filled = new Uint8Array(align(bytes.length));
  filled.set(bytes);
  return filled;
}

function align(size: number): number {
  return (size + 3) & ~3;
}
