/**
 * The attributes of a print request, which precede its document (RFC 8010, 3.1). A job may bring subscriptions along,
 * by which CUPS would send news wherever the desktop says; so groups are let through by a list, and what can't be read the
 * way CUPS reads it is refused.
 */

/** Operation, job, document. */
const GROUPS: readonly number[] = [0x01, 0x02, 0x09];
const END = 0x03;
/** Tags below are delimiters. */
const FIRST_VALUE = 0x10;
/** A longer tag follows it, which might be a delimiter again. */
const EXTENSION = 0x7f;
/** Version, operation, number of the request. */
export const IPP_HEAD_BYTES = 8;
/** A printer's options are a few hundred bytes. */
const MOST_BYTES = 64 * 1024;
const RECIPIENT = "notify-recipient-uri";

export type AttributesVerdict = "allowed" | "refused" | "more";

export class PrintAttributes {
  #at = IPP_HEAD_BYTES;

  /** `held` is the request from its start, and at each call not shorter than before. "more" asks for more of it. */
  judge(held: Buffer): AttributesVerdict {
    while (this.#at < held.length) {
      if (this.#at > MOST_BYTES) return "refused";
      const tag = held.readUInt8(this.#at);
      if (tag === END) return "allowed";
      if (tag < FIRST_VALUE) {
        if (!GROUPS.includes(tag)) return "refused";
        this.#at += 1;
        continue;
      }
      if (tag === EXTENSION) return "refused";
      const end = findEnd(held, this.#at);
      if (end === undefined) return "more";
      if (held.subarray(this.#at, end).includes(RECIPIENT)) return "refused";
      this.#at = end;
    }
    return "more";
  }
}

/** Where an attribute ends: its tag, name and value, both after their lengths. Undefined while not all of it is here. */
function findEnd(held: Buffer, at: number): number | undefined {
  const name = at + 1;
  if (held.length < name + 2) return undefined;
  const value = name + 2 + held.readUInt16BE(name);
  if (held.length < value + 2) return undefined;
  const end = value + 2 + held.readUInt16BE(value);
  return held.length < end ? undefined : end;
}
