/** Second factors as auth asks for them, out of the database's rows and the service's verbs. */

import type { TotpStore } from "../../auth/totp/totp-store.ts";
import type { Db } from "../../db/client.ts";
import {
  hasUserPassword,
  readDatabaseNowMs,
  readSealedSecondFactor,
  readSecondFactorFacts,
} from "../../db/queries/second-factors.ts";
import { listSettings } from "../../db/queries/settings.ts";
import { readTokenOwner } from "../../db/queries/user-tokens.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import type { Context } from "../../service/context.ts";
import { enrolSecondFactor } from "../../service/second-factor/enrol.ts";
import { removeSecondFactor } from "../../service/second-factor/remove.ts";
import { renewRecoveryCodes } from "../../service/second-factor/renew-codes.ts";
import { useRecoveryCode } from "../../service/second-factor/use-recovery-code.ts";
import { useStep } from "../../service/second-factor/use-step.ts";

export function createTotpStore(db: Db): TotpStore {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  return {
    find: (of) => readSealedSecondFactor(db, of),
    async describe(userId) {
      const owner = await readTokenOwner(db, userId);
      if (owner === undefined) return undefined;
      const [rows, hasPassword, factor] = await Promise.all([
        listSettings(db, owner.tenantId),
        hasUserPassword(db, userId),
        readSecondFactorFacts(db, { userId }),
      ]);
      const settings = settingValues(rows, owner.tenantId);
      return { settings, hasPassword, recoveryCodesLeft: factor?.recoveryCodesLeft };
    },
    readNowMs: () => readDatabaseNowMs(db),
    useStep: (secondFactorId, step) => useStep(context, { secondFactorId, step }),
    useRecoveryCode: (of, code) => useRecoveryCode(context, { of, ...code }),
    enrol: (of, made) => enrolSecondFactor(context, { of, ...made }),
    renewCodes: (of, made) => renewRecoveryCodes(context, { of, ...made }),
    remove: (of) => removeSecondFactor(context, { of }),
  };
}
