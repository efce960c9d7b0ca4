/**
 * What auth gives away to have it brought back: half a sign-in that waits for its code, an enrolment that waits for its
 * first one, a browser that is at its provider. Sealed, so that whoever carries it can neither read nor change it, and
 * nothing is kept here: any box of the site can open it, also after a restart.
 */

import { hkdfSync } from "node:crypto";
import nacl from "tweetnacl";
import { z } from "zod";

/** Each kind is sealed with a key of its own, so one is never taken for another. */
export type TicketPurpose = "second-factor" | "enrolment" | "oidc" | "secret";

const Envelope = z.strictObject({ endsMs: z.number(), data: z.unknown() });

export class Tickets {
  readonly #siteKey: Uint8Array;

  /** `siteKey` is the site's, known to auth alone. */
  constructor(siteKey: Uint8Array) {
    this.#siteKey = siteKey;
  }

  seal(purpose: TicketPurpose, data: unknown, endsMs: number): string {
    const envelope = Buffer.from(JSON.stringify({ endsMs, data }));
    return Buffer.from(this.sealBytes(purpose, envelope)).toString("base64url");
  }

  /** Undefined for one that is over, was made for something else, or that nobody made. */
  open<Schema extends z.ZodType>(
    purpose: TicketPurpose,
    schema: Schema,
    { text, nowMs }: { readonly text: string; readonly nowMs: number },
  ): z.output<Schema> | undefined {
    const plain = this.openBytes(purpose, Buffer.from(text, "base64url"));
    if (plain === undefined) return undefined;
    const envelope = Envelope.parse(JSON.parse(Buffer.from(plain).toString()));
    if (envelope.endsMs <= nowMs) return undefined;
    const data = schema.safeParse(envelope.data);
    return data.success ? data.data : undefined;
  }

  sealBytes(purpose: TicketPurpose, plain: Uint8Array): Uint8Array {
    const nonce = nacl.randomBytes(nacl.secretbox.nonceLength);
    return Buffer.concat([nonce, nacl.secretbox(new Uint8Array(plain), nonce, this.#keyOf(purpose))]);
  }

  openBytes(purpose: TicketPurpose, sealed: Uint8Array): Uint8Array | undefined {
    const nonce = new Uint8Array(sealed.subarray(0, nacl.secretbox.nonceLength));
    if (nonce.length < nacl.secretbox.nonceLength) return undefined;
    const box = new Uint8Array(sealed.subarray(nacl.secretbox.nonceLength));
    return nacl.secretbox.open(box, nonce, this.#keyOf(purpose)) ?? undefined;
  }

  #keyOf(purpose: TicketPurpose): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.#siteKey, "qvd auth", purpose, nacl.secretbox.keyLength));
  }
}
