/** What people prove themselves with besides passwords, and what of it is kept: second factors, tokens, providers, unlock codes. */

import { Tickets } from "../../auth/ticket.ts";
import type { Db } from "../../db/client.ts";
import { applyProvidedRoles } from "../../service/administrator/apply-provided-roles.ts";
import type { Context } from "../../service/context.ts";
import { createMarkStore } from "./mark-store.ts";
import { createTokenStore } from "./token-store.ts";
import { createTotpStore } from "./totp-store.ts";
import { createUnlockStore } from "./unlock-store.ts";

export type ProofPartsOptions = {
  /** The site's, known to auth alone. */
  readonly secretKey: Uint8Array;
  /** PEM; Bun's own when left out. */
  readonly systemAuthorities?: string;
};

type GivenRoles = Parameters<typeof applyProvidedRoles>[1] & { readonly origin: string };

/** `db` has the rights of the auth role. */
export function createProofParts(db: Db, { secretKey, systemAuthorities }: ProofPartsOptions) {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  return {
    secondFactors: createTotpStore(db),
    tokens: createTokenStore(db),
    marks: createMarkStore(db),
    unlocks: createUnlockStore(db),
    tickets: new Tickets(secretKey),
    oidc: {
      secretKey,
      systemAuthorities,
      giveRoles: ({ origin, ...given }: GivenRoles) => applyProvidedRoles({ ...context, origin }, given),
    },
  };
}
