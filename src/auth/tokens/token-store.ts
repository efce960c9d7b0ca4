import type { UserId, VmId } from "../../domain/ids.ts";
import type { GivenParameters } from "../../domain/session/client-parameters.ts";
import type { LoginName } from "../login.ts";

/** What auth keeps of tokens; src/cli/auth/run.ts joins it to the service's verbs. Throws when the database is away. */
export interface TokenStore {
  /** Spends a single-use one. Undefined when it is nobody's, over, revoked or spent. */
  use(token: string): Promise<
    | {
        readonly name: LoginName;
        readonly vmId: VmId | undefined;
        /** What the authenticator gave whoever had it made. */
        readonly parameters: GivenParameters;
      }
    | undefined
  >;
  create(input: {
    readonly userId: UserId;
    readonly vmId: VmId | undefined;
    readonly isMultiUse: boolean;
    readonly parameters: GivenParameters;
    readonly lifetimeSeconds: number;
    readonly origin: string;
  }): Promise<{ readonly tokenId: number; readonly token: string }>;
  /** It opens nothing from now on. */
  giveBack(input: { readonly token: string; readonly origin: string }): Promise<void>;
  /** The longest that a token of the user may live, by their tenant's settings. */
  readMostSeconds(userId: UserId): Promise<number>;
}
