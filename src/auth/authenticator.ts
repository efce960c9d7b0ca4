/**
 * The parts that a chain is made of, and what flows between them. An authenticator says whose a proof is; the chain
 * (`src/auth/chain`) decides which are asked, in which order, and what follows: policy, second factor, accounts
 * made at the first sign-in. QVD 4's plugin hooks under names of ours:
 *
 *     find_tenant, normalize_*              parseLoginName, and `name` of a finding
 *     authenticate_basic, _bearer           Authenticator.prove, by kind of proof
 *     authenticate_basic_2f_split, _2f      SecondFactor.split, SecondFactor.verify
 *     after_authenticate_basic              AfterProof
 *     params                                `parameters` of a finding
 *     allow_access_to_vm                    `vmId` of a finding
 *
 * Those of the list and of connecting are left out (docs/decisions/0162).
 */

import type { AdministratorId, TenantId, UserId, VmId } from "../domain/ids.ts";
import type { SettingValues } from "../domain/setting/registry.ts";
import type { AuthProof, AuthQuestion } from "../wire/auth/messages.ts";
import type { Place } from "./fair-queue.ts";
import type { LoginName } from "./login.ts";

/** What somebody claims. */
export type Claim = {
  readonly kind: AuthQuestion["kind"];
  /** Undefined where the proof names its owner itself. */
  readonly name: LoginName | undefined;
  /** It is the name of an account of ours; else what somebody typed, which may be another that they sign in by. */
  readonly isAccountName?: true;
  readonly proof: AuthProof;
  /** Address of the person's client. */
  readonly origin: string;
  /** Whose place a wait takes in a bounded queue; the address where it isn't given. */
  readonly asker?: string;
  /** How long that wait may be, where its asker says. */
  readonly mayWaitMs?: number | undefined;
  /** Told where they stand in it, again and again. */
  readonly onPlace?: ((place: Place) => void) | undefined;
};

/** A claim with what is known of the named tenant; of the site where none is named, or an unknown one. */
export type Attempt = Claim & { readonly settings: SettingValues };

export type Finding =
  | {
      readonly outcome: "proved";
      /** Who it is, in the spelling of our accounts; the account itself may be missing yet. */
      readonly name: LoginName;
      /** Names of groups, for the policy. */
      readonly groups?: readonly string[];
      /** What the desktop is given of it; names begin with qvd. */
      readonly parameters?: Readonly<Record<string, string>>;
      /** Good for this desktop only. */
      readonly vmId?: VmId;
      /** It proved more than a password can (a token made after a second factor, a provider that asked for one). */
      readonly hasSecondFactor?: boolean;
      /** The full name, for an account that is made. */
      readonly fullName?: string;
    }
  | { readonly outcome: "denied" }
  /** More is asked of it at a time than it looks at. */
  | { readonly outcome: "busy"; readonly retryMs?: number }
  /** `text` is for administrators and names what is away; it goes to the log, never to the person. */
  | { readonly outcome: "unavailable"; readonly text: string };

/**
 * One way to prove who somebody is. Answers in a time that doesn't tell whether the account exists, and never
 * rejects for what a stranger sent; an account that is unknown is `denied`.
 */
export interface Authenticator {
  /** As chains, policies and `by` name it. */
  readonly name: string;
  /** Kinds of proof that it can look at; others pass it by. */
  readonly proofs: readonly AuthProof["kind"][];
  prove(attempt: Attempt, signal: AbortSignal): Promise<Finding>;
  /** The account that a name is of which isn't an account's, where it can be told without the proof. Never rejects. */
  findName?(attempt: Attempt, signal: AbortSignal): Promise<LoginName | undefined>;
  /** Tells those who wait for their turn where they stand. Called now and then. */
  tellPlaces?(): void;
}

/** A code that some people need besides their password; asked for where a chain has its name. */
export interface SecondFactor {
  readonly name: string;
  /** Costs the same where there is no such account. */
  isEnrolled(account: ProvedAccount | undefined): Promise<boolean>;
  /** Takes the code off a password's end; undefined when there is none that could be one. */
  split(
    password: string,
    settings: SettingValues,
  ): { readonly password: string; readonly code: string } | undefined;
  /** A code is good once. */
  verify(account: ProvedAccount, code: string, settings: SettingValues): Promise<boolean>;
}

/** Makes what somebody lacks who has proved who they are, such as their account; throws an AppError where it can't. */
export interface AfterProof {
  /** Chains that have it do it. */
  readonly name: string;
  /** May be called twice at once for one person, and makes each thing once. */
  apply(proved: ProvedPerson, signal: AbortSignal): Promise<void>;
}

/** A person of a tenant, with or without an account yet. */
export type ProvedPerson = {
  readonly tenantId: TenantId;
  readonly login: string;
  readonly fullName: string;
  readonly by: string;
  readonly origin: string;
  readonly settings: SettingValues;
};

export type ProvedAccount = {
  readonly id: { readonly userId: UserId } | { readonly administratorId: AdministratorId };
  readonly login: string;
  readonly tenantId: TenantId;
  readonly tenantName: string;
};

export type Verdict =
  | {
      readonly outcome: "accepted";
      readonly account: ProvedAccount;
      readonly by: string;
      readonly parameters?: Readonly<Record<string, string>>;
      readonly vmId?: VmId;
    }
  | { readonly outcome: "denied" }
  /** `ticket`: brought back with the code, it takes the place of the password. */
  | { readonly outcome: "second-factor-needed"; readonly isEnrolled: boolean; readonly ticket: string }
  /** Too much is asked at a time; `text` is for the person. */
  | { readonly outcome: "busy"; readonly text: string; readonly retryMs?: number }
  | { readonly outcome: "unavailable"; readonly text: string };

/** The whole of it, as a question of the socket meets it. */
export interface Verifier {
  verify(claim: Claim, signal: AbortSignal): Promise<Verdict>;
}
