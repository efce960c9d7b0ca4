/** `qvd auth run` as the broker meets it, played: three people with one password, and tokens. */

import type { PasswordVerifier } from "../../src/broker/authenticate.ts";
import type { AuthAsker } from "../../src/broker/create-token.ts";
import { sleep } from "../../src/lib/wait.ts";
import type { AuthAnswer } from "../../src/wire/auth/messages.ts";

const USERS: Readonly<Record<string, number>> = { alice: 1, carol: 2, bob: 3 };

export type PlayedToken = {
  readonly userId: number;
  readonly isMultiUse: boolean;
  readonly vmId?: number | undefined;
};

export type PlayedAuth = PasswordVerifier &
  AuthAsker & {
    /** Logins, and tokens, that were asked about. */
    readonly asked: string[];
    readonly tokens: Map<string, PlayedToken>;
    /** Everybody's. */
    password: string;
    /** Where everybody stands in the queue. */
    place: { readonly number: number; readonly waitMs: number };
    /** Of those who wait, as `waits` does for half a second at least. */
    leftCount: number;
    /** What proofs give the desktop. */
    parameters: Readonly<Record<string, string>>;
  };

export function playAuth(): PlayedAuth {
  const asked: string[] = [];
  const tokens = new Map<string, PlayedToken>();
  const auth: PlayedAuth = {
    asked,
    tokens,
    password: "secret",
    parameters: {},
    place: { number: 1, waitMs: 50 },
    leftCount: 0,
    verify: async ({ login, proof }, signal, onPlace): Promise<AuthAnswer> => {
      onPlace?.({ id: 0, outcome: "waiting", ...auth.place });
      if (proof.kind === "token") {
        asked.push(proof.token);
        const token = tokens.get(proof.token);
        if (token === undefined) return { id: 0, outcome: "denied" };
        if (!token.isMultiUse) tokens.delete(proof.token);
        return accept(token.userId, "default", token.vmId);
      }
      const password = proof.kind === "password" ? proof.password : "";
      asked.push(login);
      const [name = "", tenant = "default"] = login.trim().toLowerCase().split(/[@#]/);
      const userId = USERS[name];
      if (name === "busy") return { id: 0, outcome: "busy", text: "Too many people sign in.", retryMs: 100 };
      if (name === "dora" && proof.kind === "password" && proof.canAskForCode === true)
        return { id: 0, outcome: "second-factor-needed", isEnrolled: true, ticket: "half" };
      if (name === "waits") await sleep(auth.place.waitMs < 2_000 ? 500 : 60_000, signal);
      if (name === "waits" && signal.aborted) {
        auth.leftCount++;
        return { id: 0, outcome: "unavailable", text: "Nobody waits." };
      }
      if (userId === undefined || password !== auth.password) return { id: 0, outcome: "denied" };
      return accept(userId, tenant);
    },
    ask: async (request) => {
      if (request.kind === "describe-second-factor")
        return { id: 0, outcome: "second-factor-described", canSetUp: true };
      if (request.kind === "give-back-token") {
        tokens.delete(request.token);
        return { id: 0, outcome: "removed" };
      }
      if (request.kind !== "create-token") return { id: 0, outcome: "denied" };
      const tokenId = tokens.size + 1;
      const token = `token${tokenId}`;
      tokens.set(token, request);
      return { id: 0, outcome: "token-created", token, tokenId };
    },
  };
  const accept = (userId: number, tenantName: string, vmId?: number): AuthAnswer => ({
    id: 0,
    outcome: "accepted",
    userId,
    login: Object.keys(USERS)[userId - 1] ?? "",
    tenantId: 1,
    tenantName,
    by: "local",
    parameters: auth.parameters,
    ...(vmId === undefined ? {} : { vmId }),
  });
  return auth;
}
