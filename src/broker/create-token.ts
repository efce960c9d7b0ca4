/** Bearer tokens as `qvd auth run` makes them: it alone may write them, and knows how long one may live. */

import type { AsAsked } from "../auth/client.ts";
import type { AuthReply, AuthRequest } from "../wire/auth/requests.ts";
import type { TokenMaker } from "./request.ts";

export interface AuthAsker {
  ask(request: AsAsked<AuthRequest>, signal: AbortSignal): Promise<AuthReply>;
}

export function createTokenMaker(auth: AuthAsker): TokenMaker {
  return {
    async createToken({ vmId, ...more }, signal) {
      const wish = { kind: "create-token", ...more } as const;
      const reply = await auth.ask(vmId === undefined ? wish : { ...wish, vmId }, signal);
      switch (reply.outcome) {
        case "token-created":
          return reply;
        case "denied":
          return { status: 403 };
        case "refused":
          return { status: 403, body: reply.text };
        case "busy":
        case "unavailable":
          return { status: 503, body: reply.text };
        default:
          throw new Error(`a token was asked for, and ${reply.outcome} came`);
      }
    },
    async giveBack(shown, signal) {
      const reply = await auth.ask({ kind: "give-back-token", ...shown }, signal);
      if (reply.outcome === "removed") return undefined;
      return { status: 503, ...("text" in reply ? { body: reply.text } : {}) };
    },
  };
}
