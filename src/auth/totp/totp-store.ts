/** What auth keeps of second factors; src/cli/auth/run.ts joins it to the service's verbs. Throws when the database is away. */

import type { UserId } from "../../domain/ids.ts";
import type { ProvedAccount } from "../authenticator.ts";
import type { SecondFactorFacts } from "./describe.ts";

export type PersonId = ProvedAccount["id"];

export type StoredSecondFactor = {
  readonly id: number;
  readonly sealedSecret: Uint8Array;
  /** Codes of steps up to this one are spent. */
  readonly lastStep: number;
};

export interface TotpStore {
  find(of: PersonId): Promise<StoredSecondFactor | undefined>;
  /** Undefined when there is no such user. */
  describe(userId: UserId): Promise<SecondFactorFacts | undefined>;
  /** By the database's clock, the one that all boxes of the site share. */
  readNowMs(): Promise<number>;
  /** False when the step, or a later one, is spent already. */
  useStep(secondFactorId: number, step: number): Promise<boolean>;
  /** False when there is no such code or it is spent. */
  useRecoveryCode(
    of: PersonId,
    code: { readonly secondFactorId: number; readonly codeHash: Uint8Array },
  ): Promise<boolean>;
  /** Throws `conflict` when there is one already. */
  enrol(
    of: PersonId,
    made: {
      readonly sealedSecret: Uint8Array;
      readonly step: number;
      readonly codeHashes: readonly Uint8Array[];
    },
  ): Promise<void>;
  renewCodes(
    of: PersonId,
    made: { readonly secondFactorId: number; readonly codeHashes: readonly Uint8Array[] },
  ): Promise<void>;
  remove(of: PersonId): Promise<void>;
}
