/**
 * The second factor of people with an authenticator app: six digits that change every 30 s, or one of their recovery
 * codes. Every code is good once, also at two boxes at the same moment: the database decides.
 */

import { asId, type UserId } from "../../domain/ids.ts";
import type { Log } from "../../lib/log.ts";
import type { SecondFactor } from "../authenticator.ts";
import type { Tickets } from "../ticket.ts";
import type { CodeLimiter } from "./code-limiter.ts";
import { findStep, isCode, splitAppended } from "./one-time-code.ts";
import { hashRecoveryCode, splitRecoveryCode } from "./recovery-codes.ts";
import type { PersonId, StoredSecondFactor, TotpStore } from "./totp-store.ts";

export type TotpDeps = {
  readonly store: TotpStore;
  readonly tickets: Tickets;
  readonly limiter: CodeLimiter;
  readonly log: Log;
};

const NOBODY: PersonId = { userId: asId<UserId>(0) };

export function createTotp(deps: TotpDeps): SecondFactor {
  const { store, limiter } = deps;
  return {
    name: "totp",
    async isEnrolled(account) {
      // Where there is nobody, nobody is looked for, which takes as long.
      return (await store.find(account?.id ?? NOBODY)) !== undefined;
    },
    split: (password) => splitAppended(password) ?? splitRecoveryCode(password),
    async verify(account, text) {
      const factor = await store.find(account.id);
      if (factor === undefined) return false;
      const code = text.replaceAll(/\s/g, "");
      if (!isCode(code)) return await useRecoveryCode(store, account.id, { factor, text });
      const { login, tenantName: tenant } = account;
      const kind = "userId" in account.id ? "user" : "administrator";
      const attempt = await limiter.enter({ secondFactorId: factor.id, kind, login, tenant });
      if (attempt === "refuse") {
        deps.log.warn("second-factor-guessed", { login, tenant });
        return false;
      }
      let isRight = false;
      try {
        isRight = await useCode(deps, factor, code);
      } finally {
        await attempt.end(isRight);
      }
      return isRight;
    },
  };
}

async function useCode(
  { store, tickets, log }: TotpDeps,
  factor: StoredSecondFactor,
  code: string,
): Promise<boolean> {
  const secret = tickets.openBytes("secret", factor.sealedSecret);
  if (secret === undefined) {
    log.error("second-factor-unreadable", {
      secondFactorId: factor.id,
      text: "It was sealed with the key of another site. Give this box the settings.key of the others, or reset it.",
    });
    return false;
  }
  const step = findStep(secret, code, { nowMs: await store.readNowMs(), lastStep: factor.lastStep });
  return step !== undefined && (await store.useStep(factor.id, step));
}

async function useRecoveryCode(
  store: TotpStore,
  of: PersonId,
  { factor, text }: { readonly factor: StoredSecondFactor; readonly text: string },
): Promise<boolean> {
  const codeHash = hashRecoveryCode(text);
  return codeHash !== undefined && (await store.useRecoveryCode(of, { secondFactorId: factor.id, codeHash }));
}
