/** The verbs that auth calls about second factors, tokens and unlock codes: rows of the table of verb-cases.ts. */

import { desc, eq } from "drizzle-orm";
import { secondFactors, userTokens } from "../../src/db/schema/index.ts";
import { applyProvidedRoles } from "../../src/service/administrator/apply-provided-roles.ts";
import { enrolSecondFactor } from "../../src/service/second-factor/enrol.ts";
import { removeSecondFactor } from "../../src/service/second-factor/remove.ts";
import { renewRecoveryCodes } from "../../src/service/second-factor/renew-codes.ts";
import { useRecoveryCode } from "../../src/service/second-factor/use-recovery-code.ts";
import { useStep } from "../../src/service/second-factor/use-step.ts";
import { countFailures } from "../../src/service/sign-in-throttle/count-failures.ts";
import { forgetMarks } from "../../src/service/sign-in-throttle/forget-marks.ts";
import { noteProved } from "../../src/service/sign-in-throttle/note-proved.ts";
import { createToken } from "../../src/service/token/create.ts";
import { giveBackToken } from "../../src/service/token/give-back.ts";
import { revokeToken } from "../../src/service/token/revoke.ts";
import { sweepTokens } from "../../src/service/token/sweep.ts";
import { useToken } from "../../src/service/token/use.ts";
import { createUnlockCode } from "../../src/service/unlock-code/create.ts";
import { useUnlockCode } from "../../src/service/unlock-code/use.ts";
import { setUserSecondFactor } from "../../src/service/user/set-second-factor.ts";
import type { Case, Scene } from "./verb-cases.ts";

const BYTES = new Uint8Array(32);
const RANDOM = { randomToken: () => crypto.randomUUID() };
/** Nobody but auth, whoever asks. */
const AUTH = { also: [], site: false, roles: ["qvd_auth"] } as const;

const FAILURE = { id: "a-hash", lane: "account", key: "alice", failures: 1, memoryMs: 60_000 } as const;

const withoutFactor = (_: unknown, s: Scene) =>
  s.owner.delete(secondFactors).where(eq(secondFactors.userId, s.alice.userId));
const alice = (s: Scene) => ({ userId: s.alice.userId });

export const PROOF_CASES: Readonly<Record<string, Case>> = {
  "administrator/apply-provided-roles": {
    ...AUTH,
    // The admin process gives roles too.
    roles: ["qvd_admin", "qvd_auth"],
    call: (c, _, login) =>
      applyProvidedRoles(c, { tenant: "*", login, roles: ["administrator"], provider: "https://idp.test" }),
  },
  "second-factor/enrol": {
    ...AUTH,
    prepare: withoutFactor,
    call: (c, s) => enrolSecondFactor(c, { of: alice(s), sealedSecret: BYTES, step: 1, codeHashes: [BYTES] }),
  },
  "second-factor/use-step": { ...AUTH, call: (c) => useStep(c, { secondFactorId: 1, step: 2 }) },
  "second-factor/use-recovery-code": {
    ...AUTH,
    call: (c, s) => useRecoveryCode(c, { of: alice(s), secondFactorId: 0, codeHash: BYTES }),
  },
  "second-factor/renew-codes": {
    ...AUTH,
    call: (c, s) => renewRecoveryCodes(c, { of: alice(s), secondFactorId: 0, codeHashes: [] }),
  },
  "second-factor/remove": {
    ...AUTH,
    // The admin process resets second factors, so it could do this as well.
    roles: ["qvd_admin", "qvd_auth"],
    call: (c, s) => removeSecondFactor(c, { of: alice(s) }),
  },
  "user/set-second-factor": {
    also: ["tenant"],
    // Auth sets up second factors and makes users, so its process could.
    roles: ["qvd_admin", "qvd_auth"],
    prepare: withoutFactor,
    call: (c, s) =>
      setUserSecondFactor(
        c,
        { sealSecondFactor: async () => BYTES },
        { ...alice(s), secret: "A".repeat(32) },
      ),
  },
  "sign-in-throttle/count-failures": { ...AUTH, call: (c) => countFailures(c, [FAILURE]) },
  "sign-in-throttle/forget-marks": { ...AUTH, call: (c) => forgetMarks(c, [FAILURE.id]) },
  "sign-in-throttle/note-proved": { ...AUTH, call: (c) => noteProved(c, FAILURE) },
  "token/create": {
    ...AUTH,
    call: (c, s) => createToken(c, RANDOM, { ...alice(s), isMultiUse: true, lifetimeSeconds: 60 }),
  },
  "token/use": { ...AUTH, call: (c) => useToken(c, "nobody's") },
  "token/give-back": { ...AUTH, call: (c) => giveBackToken(c, "nobody's") },
  "token/sweep": { ...AUTH, call: (c) => sweepTokens(c) },
  "token/revoke": {
    also: ["tenant", "owner"],
    prepare: (c, s) => createToken(c, RANDOM, { ...alice(s), isMultiUse: true, lifetimeSeconds: 60 }),
    call: async (c, s) => {
      const [last] = await s.owner.select().from(userTokens).orderBy(desc(userTokens.id)).limit(1);
      await revokeToken(c, { tokenId: last?.id ?? 0 });
    },
  },
  "unlock-code/create": { ...AUTH, call: (c, s) => createUnlockCode(c, { ...alice(s), codeHash: BYTES }) },
  "unlock-code/use": { ...AUTH, call: (c, s) => useUnlockCode(c, { ...alice(s), codeHash: BYTES }) },
};
