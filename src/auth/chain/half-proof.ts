/**
 * A sign-in that has passed everything but its second factor, given to the asker as a sealed ticket: the person brings it
 * back with the code, and the password is neither kept here nor carried by a page. What was judged is not judged again.
 */

import { z } from "zod";
import type { Tickets } from "../ticket.ts";

export const HalfProof = z.object({
  kind: z.enum(["user", "administrator"]),
  /** The authenticator that proved the first half. */
  by: z.string(),
  name: z.object({ login: z.string(), tenant: z.string() }),
  fullName: z.string().optional(),
  parameters: z.record(z.string(), z.string()).optional(),
});
export type HalfProof = z.infer<typeof HalfProof>;

/** Long enough to find the phone, or to set up an app. */
const LIFETIME_MS = 10 * 60_000;

export type HalfProofDeps = { readonly tickets: Tickets; readonly readNowMs: () => Promise<number> };

export class HalfProofs {
  readonly #deps: HalfProofDeps;

  constructor(deps: HalfProofDeps) {
    this.#deps = deps;
  }

  async seal(half: HalfProof): Promise<string> {
    const { tickets, readNowMs } = this.#deps;
    return tickets.seal("second-factor", half, (await readNowMs()) + LIFETIME_MS);
  }

  /** Undefined when it is too late for it, or it is none of ours. */
  async open(text: string): Promise<HalfProof | undefined> {
    const { tickets, readNowMs } = this.#deps;
    return tickets.open("second-factor", HalfProof, { text, nowMs: await readNowMs() });
  }
}
