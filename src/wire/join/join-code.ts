/**
 * The code by which one more box joins a site: where to ask, whom to believe there, which bundle, and the key that
 * opens it. Printed once, typed or pasted once; whoever holds it gets what a box of the site has.
 */

import { AppError } from "../../lib/errors.ts";

export type JoinCode = {
  /** Of an admin process, as HOST:PORT. */
  readonly address: string;
  /** SHA-256 of the site's authority, in hexadecimal. */
  readonly fingerprint: string;
  readonly id: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
};

const PREFIX = "qvd1-";

export function formatJoinCode({ address, fingerprint, id, key }: JoinCode): string {
  const text = [address, fingerprint, id, Buffer.from(key).toString("base64url")].join(" ");
  return PREFIX + Buffer.from(text, "latin1").toString("base64url");
}

/** Throws `bad-input`; the code itself is not repeated, since it holds a key. */
export function parseJoinCode(text: string): JoinCode {
  const trimmed = text.replace(/\s+/g, "");
  const fields = Buffer.from(trimmed.slice(PREFIX.length), "base64url").toString("latin1").split(" ");
  const [address = "", fingerprint = "", id = "", secret = ""] = fields;
  const key = Buffer.from(secret, "base64url");
  const isWhole =
    trimmed.startsWith(PREFIX) &&
    fields.length === 4 &&
    /^\S+:[0-9]{1,5}$/.test(address) &&
    /^[0-9a-f]{64}$/.test(fingerprint) &&
    /^[A-Za-z0-9_-]{8,64}$/.test(id) &&
    key.length === 32;
  if (isWhole) return { address, fingerprint, id, key };
  throw new AppError(
    "bad-input",
    "this is not a whole join code: copy all of what `qvd node invite` printed, it begins with qvd1-",
  );
}
