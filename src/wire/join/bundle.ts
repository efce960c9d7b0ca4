/**
 * What a new box needs to be one of the site, sealed so that neither the database that keeps it nor the admin
 * process that hands it out can read it. Whoever opens it knows that the inviter made it: the seal is a proof too.
 */

import nacl from "tweetnacl";
import { z } from "zod";
import { AppError } from "../../lib/errors.ts";

export const Bundle = z.object({
  version: z.literal(1),
  /** The new box's name in the site. */
  nodeName: z.string(),
  /** As owner of the schema, reachable from other boxes. */
  databaseUrl: z.string(),
  rolePasswords: z.record(z.string(), z.string()),
  /** PEM: the site's authority, and a certificate with its key for the new box. */
  caCertificate: z.string(),
  certificate: z.string(),
  key: z.string(),
  /** What secrets among the site settings are sealed for; base64. */
  settingsKey: z.string(),
  /** Settings that all boxes of a site have alike, by their names. */
  settings: z.record(z.string().regex(/^QVD_[A-Z_]+$/), z.string()),
  /** Where the inviting box has the shared folder; empty when it has none. */
  sharedFolder: z.string(),
});
export type Bundle = z.infer<typeof Bundle>;

export type RandomBytes = (count: number) => Uint8Array;

export function sealBundle(bundle: Bundle, key: Uint8Array, random: RandomBytes): Uint8Array<ArrayBuffer> {
  const nonce = random(nacl.secretbox.nonceLength);
  const sealed = nacl.secretbox(new TextEncoder().encode(JSON.stringify(bundle)), nonce, key);
  return new Uint8Array(Buffer.concat([nonce, sealed]));
}

/** Throws `bad-input` when the key doesn't open it, or it was changed on its way. */
export function openBundle(sealed: Uint8Array, key: Uint8Array): Bundle {
  const nonce = sealed.subarray(0, nacl.secretbox.nonceLength);
  const isLongEnough = sealed.length > nacl.secretbox.nonceLength + nacl.secretbox.overheadLength;
  // The library wants arrays of its own, not views of Node's.
  const opened = isLongEnough
    ? nacl.secretbox.open(
        new Uint8Array(sealed.subarray(nonce.length)),
        new Uint8Array(nonce),
        new Uint8Array(key),
      )
    : null;
  if (opened === null)
    throw new AppError("bad-input", "what the site handed out can't be opened with this code");
  const parsed = Bundle.safeParse(JSON.parse(new TextDecoder().decode(opened)));
  if (parsed.success) return parsed.data;
  throw new AppError(
    "bad-input",
    "what the site handed out is of another version: install the same QVD here as there",
    {
      cause: parsed.error,
    },
  );
}
