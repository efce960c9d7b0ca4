import type { UserId } from "../../domain/ids.ts";
import type { SettingValues } from "../../domain/setting/registry.ts";
import { planChain } from "../chain/plan-chain.ts";
import type { TotpStore } from "./totp-store.ts";

export type SecondFactorFacts = {
  readonly settings: SettingValues;
  /** A password of ours. */
  readonly hasPassword: boolean;
  /** Undefined when none is set up. */
  readonly recoveryCodesLeft: number | undefined;
};

/** Parts of a chain that prove by a password kept elsewhere. */
const DIRECTORIES = ["ldap"];

/**
 * What a user can do about their second factor: who has one can renew and remove it, and who has none can set one up
 * if their tenant takes codes and they have a password to prove themselves by.
 */
export async function describeSecondFactor(store: TotpStore, userId: UserId) {
  const facts = await store.describe(userId);
  if (facts === undefined) return { outcome: "denied" } as const;
  const { settings, hasPassword, recoveryCodesLeft } = facts;
  const plan = planChain("user", settings);
  const provesByPassword =
    (hasPassword && plan.includes("local")) || DIRECTORIES.some((name) => plan.includes(name));
  const described = {
    outcome: "second-factor-described",
    canSetUp: recoveryCodesLeft === undefined && provesByPassword && plan.includes("totp"),
  } as const;
  return recoveryCodesLeft === undefined ? described : { ...described, recoveryCodesLeft };
}
