/** Second factors as auth asks for them, out of the database's rows and the service's verbs. */

import type { TotpStore } from "../../auth/totp/totp-store.ts";
import type { Db } from "../../db/client.ts";
import { readDatabaseNowMs, readSealedSecondFactor } from "../../db/queries/second-factors.ts";
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
    readNowMs: () => readDatabaseNowMs(db),
    useStep: (secondFactorId, step) => useStep(context, { secondFactorId, step }),
    useRecoveryCode: (of, code) => useRecoveryCode(context, { of, ...code }),
    enrol: (of, made) => enrolSecondFactor(context, { of, ...made }),
    renewCodes: (of, made) => renewRecoveryCodes(context, { of, ...made }),
    remove: (of) => removeSecondFactor(context, { of }),
  };
}
