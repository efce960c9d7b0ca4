/**
 * Unlocks a desktop's screen for its own user, by what they sign in with: the password (with the code of their second
 * factor behind it, as in a client), a token, or an unlock code of the portal. Who the user is, the node says, not the desktop.
 */

import { randomBytes } from "node:crypto";
import type { UserId, VmId } from "../../domain/ids.ts";
import type { AuthReply, AuthRequest } from "../../wire/auth/requests.ts";
import type { Claim, Verdict } from "../authenticator.ts";
import type { LoginName } from "../login.ts";
import { hashUnlockCode, makeUnlockCode } from "./unlock-code.ts";

export interface UnlockStore {
  findName(userId: UserId): Promise<LoginName | undefined>;
  createCode(userId: UserId, codeHash: Uint8Array): Promise<void>;
  /** False when it is another one, over, or spent. */
  useCode(userId: UserId, codeHash: Uint8Array): Promise<boolean>;
}

export type UnlockDeps = {
  readonly store: UnlockStore;
  /** As at any sign-in, throttling included. */
  readonly decide: (claim: Claim, signal: AbortSignal) => Promise<Verdict>;
};

type Reply = AuthReply extends infer One ? (One extends AuthReply ? Omit<One, "id"> : never) : never;

export async function unlockScreen(
  { store, decide }: UnlockDeps,
  asked: {
    readonly userId: UserId;
    readonly vmId: VmId;
    readonly secret: string;
    readonly origin: string;
  },
  signal: AbortSignal,
): Promise<Reply> {
  const { userId, vmId, secret, origin } = asked;
  const isTheirs = (verdict: Verdict) =>
    verdict.outcome === "accepted" && "userId" in verdict.account.id && verdict.account.id.userId === userId;
  const name = await store.findName(userId);
  if (name === undefined || secret === "") return { outcome: "denied" };
  const codeHash = hashUnlockCode(secret);
  if (codeHash !== undefined && (await store.useCode(userId, codeHash))) return { outcome: "unlocked" };
  const token = readToken(secret);
  if (token !== undefined) {
    const proof = { kind: "token", token } as const;
    const verdict = await decide({ kind: "user", name: undefined, proof, origin }, signal);
    const isBoundElsewhere = verdict.outcome === "accepted" && (verdict.vmId ?? vmId) !== vmId;
    if (isTheirs(verdict) && !isBoundElsewhere) return { outcome: "unlocked" };
  }
  const proof = { kind: "password", password: secret } as const;
  const claim = { kind: "user", name, isAccountName: true, proof, origin } as const;
  const verdict = await decide(claim, signal);
  // A directory may say that this login is somebody else.
  if (verdict.outcome === "accepted") return { outcome: isTheirs(verdict) ? "unlocked" : "denied" };
  return verdict.outcome === "second-factor-needed" ? { outcome: "denied" } : verdict;
}

/** As a client is given it, bare or in base 64; undefined for what can't be one. */
function readToken(secret: string): string | undefined {
  return [secret, Buffer.from(secret, "base64").toString("latin1").trim()].find((text) =>
    /^[0-9A-Za-z]{43}$/.test(text),
  );
}

/** For a user who has just proved themselves at their provider, and only so: others have a password. */
export async function createUnlockCode(
  { store, decide }: UnlockDeps,
  { proof, origin }: Extract<AuthRequest, { kind: "create-unlock-code" }>,
  signal: AbortSignal,
): Promise<Reply> {
  if (proof.kind !== "oidc") return { outcome: "denied" };
  const fresh = { ...proof, isFresh: true };
  const verdict = await decide({ kind: "user", name: undefined, proof: fresh, origin }, signal);
  if (verdict.outcome === "second-factor-needed") return { outcome: "denied" };
  if (verdict.outcome !== "accepted") return verdict;
  const { id } = verdict.account;
  if (!("userId" in id)) return { outcome: "denied" };
  const code = makeUnlockCode(() => randomBytes(1)[0] ?? 0);
  const codeHash = hashUnlockCode(code);
  if (codeHash === undefined) return { outcome: "denied" };
  await store.createCode(id.userId, codeHash);
  return { outcome: "unlock-code-created", code };
}
