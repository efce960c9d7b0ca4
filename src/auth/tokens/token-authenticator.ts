/**
 * Bearer tokens, as QVD clients show them: made for somebody who proved themselves, so whoever has one counts as having
 * shown their second factor too. Whether their account or tenant is blocked, and their tenant's policy, are looked at anew.
 */

import { AppError } from "../../lib/errors.ts";
import type { Authenticator } from "../authenticator.ts";
import type { TokenStore } from "./token-store.ts";

export function createTokenAuthenticator(store: TokenStore): Authenticator {
  return {
    name: "token",
    proofs: ["token"],
    async prove({ kind, proof }) {
      if (kind !== "user" || proof.kind !== "token") return { outcome: "denied" };
      const found = await use(store, proof.token);
      if (found === undefined) return { outcome: "denied" };
      const { name, vmId, parameters } = found;
      const proved = { outcome: "proved", name, parameters, hasSecondFactor: true } as const;
      return vmId === undefined ? proved : { ...proved, vmId };
    },
  };
}

async function use(store: TokenStore, token: string) {
  try {
    return await store.use(token);
  } catch (cause) {
    throw new AppError("database-away", "Tokens can't be looked at: the database does not answer.", {
      cause,
    });
  }
}
