/**
 * Secrets among the site settings: admin seals them with auth's public key, and only auth can open them. The database
 * keeps what neither its owner nor the admin process that wrote it can read (an ephemeral X25519 key, then `nacl.box`).
 * What is sealed names its setting and the settings that say where the secret goes, so it can't be put to another use.
 */

import nacl from "tweetnacl";
import { z } from "zod";
import type { SealedSecret } from "../../domain/setting/spec.ts";
import { AppError } from "../../lib/errors.ts";

/** What a secret is for; opening needs the same. */
export type SecretUse = {
  readonly name: string;
  /** Values of the settings that it is bound to, as text, by name. */
  readonly bound: Readonly<Record<string, string>>;
};

const Content = z.object({ name: z.string(), bound: z.record(z.string(), z.string()), secret: z.string() });

export function sealSecret(publicKey: Uint8Array, use: SecretUse, secret: string): SealedSecret {
  const ephemeral = nacl.box.keyPair();
  const nonce = nacl.randomBytes(nacl.box.nonceLength);
  const content = new TextEncoder().encode(JSON.stringify({ ...use, secret }));
  const box = nacl.box(content, nonce, new Uint8Array(publicKey), ephemeral.secretKey);
  const whole = Buffer.concat([publicKey, ephemeral.publicKey, nonce, box]);
  return { sealed: whole.toString("base64") };
}

/** Throws `conflict` with what to do when it was sealed for another key, another setting or another place. */
export function openSecret(secretKey: Uint8Array, use: SecretUse, { sealed }: SealedSecret): string {
  const own = nacl.box.keyPair.fromSecretKey(new Uint8Array(secretKey));
  const whole = new Uint8Array(Buffer.from(sealed, "base64"));
  const { publicKeyLength: keyLength, nonceLength } = nacl.box;
  if (!nacl.verify(padded(whole.slice(0, keyLength)), own.publicKey))
    throw new AppError(
      "conflict",
      `${use.name} was sealed with the key of another box: every box of a site needs the same settings.key in its secrets folder; copy it from the box that the site began with, or set ${use.name} again`,
    );
  const ephemeral = whole.slice(keyLength, 2 * keyLength);
  const nonce = whole.slice(2 * keyLength, 2 * keyLength + nonceLength);
  const isWhole = nonce.length === nonceLength;
  const opened = isWhole
    ? nacl.box.open(whole.slice(2 * keyLength + nonceLength), nonce, ephemeral, own.secretKey)
    : null;
  const content = Content.safeParse(opened === null ? null : JSON.parse(new TextDecoder().decode(opened)));
  if (!content.success || content.data.name !== use.name)
    throw new AppError(
      "conflict",
      `${use.name} can't be opened: it was changed in the database; set it again`,
    );
  const changed = Object.keys(use.bound).filter((name) => use.bound[name] !== content.data.bound[name]);
  if (changed.length > 0)
    throw new AppError(
      "conflict",
      `${use.name} was set for another value of ${changed.join(", ")}: set it again, so that it goes where you mean it to`,
    );
  return content.data.secret;
}

function padded(key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(nacl.box.publicKeyLength);
  bytes.set(key);
  return bytes;
}
