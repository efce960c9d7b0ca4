/**
 * How a viewer comes in at an X server that asks for proof, VNC's own: the server sends a challenge, the viewer answers with it
 * encrypted by a password, which is made of the session's key. The page knows nothing of it: whoever proves for it tells it that
 * nothing is asked, and leaves out what it says to that.
 *
 *     X server                        broker (or agent)                    page
 *       │  version, kinds, challenge    │                                    │
 *       │ ◄──── version, kind, answer   │                                    │
 *       │  result                       │                                    │
 *       │ ────────────────────────────► │  version                           │
 *       │                               │ ─────────────────────────────────► │
 *       │                               │ ◄────────────────────────  version │
 *       │                               │  that it is in                     │
 *       │                               │ ─────────────────────────────────► │
 *       │  all that follows             │ ◄──────────────── that it asks for │
 *       │ ◄────────────────────────────────────────────────────────────────► │
 */

import { createCipheriv, createHmac } from "node:crypto";
import { GREETING } from "./client-message.ts";

const PASSWORD_BYTES = 8;
const VERSION = GREETING.subarray(0, -1);
/** VNC's proof among the kinds of security; what a page is told is `none`. */
const [NONE, PROOF] = [1, 2];
const CHALLENGE_BYTES = 16;
const RESULT_BYTES = 4;

/** The kinds of security with their count, and that the viewer is in. */
const WELCOME = Buffer.from([1, NONE, 0, 0, 0, 0]);

/** Of a session's key. Without a zero, which would end it, and of the seven bits that VNC uses. */
export function screenPassword(key: string): Buffer {
  const bytes = createHmac("sha256", key).update("qvd-screen").digest().subarray(0, PASSWORD_BYTES);
  return Buffer.from(bytes.map((byte) => 1 + (byte % 127)));
}

/** As the server's file has it: hidden from a glance by a key that all servers share. */
export function formatPasswordFile(password: Buffer): Buffer {
  return encrypt(Buffer.from([23, 82, 107, 6, 35, 78, 88, 7]), password);
}

export type ProofStep =
  | { readonly kind: "more" }
  /** To be sent. */
  | { readonly kind: "answer"; readonly bytes: Uint8Array }
  /** What came behind is the viewer's. */
  | { readonly kind: "in"; readonly rest: Uint8Array }
  | { readonly kind: "refused" };

/** A viewer's half of the talk up to its being in. What a server says is hostile: it takes no more than one answer of ours. */
export class ViewerProof {
  /** Goes first. */
  static readonly hello: Uint8Array = Buffer.concat([VERSION, Buffer.from([PROOF])]);
  readonly #password: Buffer;
  #received = Buffer.alloc(0);
  #hasAnswered = false;

  constructor(key: string) {
    this.#password = screenPassword(key);
  }

  /** To be called with all that comes, until it says `in` or `refused`. */
  take(chunk: Uint8Array): ProofStep {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (this.#hasAnswered) return this.#readResult();
    const version = this.#received.subarray(0, VERSION.length);
    if (!VERSION.subarray(0, version.length).equals(version)) return { kind: "refused" };
    const count = this.#received[VERSION.length];
    if (count === undefined) return { kind: "more" };
    const at = VERSION.length + 1 + count;
    if (this.#received.length < at) return { kind: "more" };
    if (!this.#received.subarray(VERSION.length + 1, at).includes(PROOF)) return { kind: "refused" };
    if (this.#received.length < at + CHALLENGE_BYTES) return { kind: "more" };
    const challenge = this.#received.subarray(at, at + CHALLENGE_BYTES);
    this.#hasAnswered = true;
    this.#received = this.#received.subarray(at + CHALLENGE_BYTES);
    return { kind: "answer", bytes: encrypt(this.#password, challenge) };
  }

  #readResult(): ProofStep {
    if (this.#received.length < RESULT_BYTES) return { kind: "more" };
    if (this.#received.readUInt32BE() !== 0) return { kind: "refused" };
    return { kind: "in", rest: this.#received.subarray(RESULT_BYTES) };
  }
}

/** A server's half of that talk, with a page that has nothing to prove. */
export class PageGreeting {
  /** Goes first. */
  static readonly hello: Uint8Array = VERSION;
  #at = 0;

  /**
   * To be called with what the page says, until something passes on: that is the server's. `reply` is to be told; noVNC would
   * overlook it before it has answered. Undefined when the page speaks another version, or asks for what it wasn't offered.
   */
  take(chunk: Uint8Array): { readonly reply?: Uint8Array; readonly passed: Uint8Array } | undefined {
    const words = chunk.subarray(0, GREETING.length - this.#at);
    if (!GREETING.subarray(this.#at, this.#at + words.length).equals(words)) return undefined;
    const hadVersion = this.#at >= VERSION.length;
    this.#at += words.length;
    const passed = chunk.subarray(words.length);
    return hadVersion || this.#at < VERSION.length ? { passed } : { reply: WELCOME, passed };
  }
}

function mirror(byte: number): number {
  return [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, bit) => sum | (((byte >> bit) & 1) << (7 - bit)), 0);
}

/** By DES, with the bits of each of the key's bytes the other way round, as VNC has it. */
function encrypt(key: Buffer, bytes: Uint8Array): Buffer {
  const cipher = createCipheriv("des-ecb", Buffer.from(key.map(mirror)), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}
