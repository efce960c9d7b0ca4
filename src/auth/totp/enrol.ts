/**
 * How people set up their second factor, change their recovery codes and remove it: always with a proof of the moment,
 * never because they are signed in. A broker or admin process that is taken over can do none of it for anybody.
 */

import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { AuthReply, AuthRequest } from "../../wire/auth/requests.ts";
import type { Verdict } from "../authenticator.ts";
import type { Resume } from "../chain/create-chain.ts";
import { HalfProof, type HalfProofs } from "../chain/half-proof.ts";
import type { Tickets } from "../ticket.ts";
import { formatBase32 } from "./base32.ts";
import { formatEnrolmentUri } from "./enrolment-uri.ts";
import { findStep } from "./one-time-code.ts";
import { hashRecoveryCode, makeRecoveryCode, RECOVERY_CODES } from "./recovery-codes.ts";
import type { PersonId, TotpStore } from "./totp-store.ts";

export type EnrolDeps = {
  readonly store: TotpStore;
  readonly tickets: Tickets;
  readonly halfProofs: HalfProofs;
  /** Proves a person as at any sign-in, throttling included. */
  readonly prove: (person: PersonRequest, signal: AbortSignal) => Promise<Verdict>;
  readonly resume: Resume;
};

type RequestOf<Kind extends AuthRequest["kind"]> = Extract<AuthRequest, { kind: Kind }>;
type PersonRequest = RequestOf<"begin-enrolment" | "renew-recovery-codes" | "remove-second-factor">;
type Reply = AuthReply extends infer One ? (One extends AuthReply ? Omit<One, "id"> : never) : never;

/** What RFC 4226 asks for: as long as the hash. */
const SECRET_BYTES = 20;
const LIFETIME_MS = 10 * 60_000;
const ENROLLED_ALREADY =
  "A second factor is set up already. Remove it first, or have an administrator reset it.";

const Enrolment = z.object({ half: HalfProof, secret: z.string() });

export async function beginEnrolment(
  deps: EnrolDeps,
  request: RequestOf<"begin-enrolment">,
  signal: AbortSignal,
): Promise<Reply> {
  const half = await proveHalf(deps, request, signal);
  if ("outcome" in half) return half;
  const secret = randomBytes(SECRET_BYTES);
  const base32 = formatBase32(secret);
  const endsMs = (await deps.store.readNowMs()) + LIFETIME_MS;
  const ticket = deps.tickets.seal("enrolment", { half, secret: secret.toString("base64") }, endsMs);
  return { outcome: "enrolment-begun", secret: base32, uri: formatEnrolmentUri(half.name, base32), ticket };
}

/** The first half of a sign-in of somebody who has no second factor yet, or what to answer instead. */
async function proveHalf(
  deps: EnrolDeps,
  request: RequestOf<"begin-enrolment">,
  signal: AbortSignal,
): Promise<HalfProof | Exclude<Reply, { outcome: "enrolled" }>> {
  const { of, proof } = request;
  if (proof.kind === "second-factor") {
    const half = await deps.halfProofs.open(proof.ticket);
    return half === undefined || half.kind !== of ? { outcome: "denied" } : half;
  }
  if (proof.kind !== "password") return { outcome: "denied" };
  const verdict = await deps.prove({ ...request, proof: { ...proof, canAskForCode: true } }, signal);
  if (verdict.outcome === "second-factor-needed") {
    if (verdict.isEnrolled) return { outcome: "refused", text: ENROLLED_ALREADY };
    return (await deps.halfProofs.open(verdict.ticket)) ?? { outcome: "denied" };
  }
  if (verdict.outcome !== "accepted") return verdict;
  const { account, by } = verdict;
  if ((await deps.store.find(account.id)) !== undefined)
    return { outcome: "refused", text: ENROLLED_ALREADY };
  return { kind: of, by, name: { login: account.login, tenant: account.tenantName } };
}

export async function confirmEnrolment(
  deps: EnrolDeps,
  { ticket, code, origin }: RequestOf<"confirm-enrolment">,
  signal: AbortSignal,
): Promise<Reply> {
  const { store, tickets } = deps;
  const nowMs = await store.readNowMs();
  const enrolment = tickets.open("enrolment", Enrolment, { text: ticket, nowMs });
  if (enrolment === undefined) {
    return {
      outcome: "refused",
      text: "It took longer than ten minutes. Begin again, with a new code to scan.",
    };
  }
  const secret = Buffer.from(enrolment.secret, "base64");
  const step = findStep(secret, code.replaceAll(/\s/g, ""), { nowMs, lastStep: 0 });
  if (step === undefined) return { outcome: "denied" };
  const verdict = await deps.resume(enrolment.half, { origin, hasSecondFactor: true }, signal);
  if (verdict.outcome !== "accepted")
    return verdict.outcome === "second-factor-needed" ? { outcome: "denied" } : verdict;
  const { account, by } = verdict;
  if ((await store.find(account.id)) !== undefined) return { outcome: "refused", text: ENROLLED_ALREADY };
  const { recoveryCodes, codeHashes } = makeCodes();
  await store.enrol(account.id, { sealedSecret: tickets.sealBytes("secret", secret), step, codeHashes });
  const { id: person, login, tenantId, tenantName } = account;
  const { parameters } = verdict;
  const enrolled = { outcome: "enrolled", recoveryCodes, person, login, tenantId, tenantName, by } as const;
  return parameters === undefined ? enrolled : { ...enrolled, parameters };
}

export async function renewCodes(
  deps: EnrolDeps,
  request: RequestOf<"renew-recovery-codes">,
  signal: AbortSignal,
): Promise<Reply> {
  const proved = await proveWhole(deps, request, signal);
  if ("outcome" in proved) return proved;
  const { recoveryCodes, codeHashes } = makeCodes();
  await deps.store.renewCodes(proved.of, { secondFactorId: proved.secondFactorId, codeHashes });
  return { outcome: "codes-renewed", recoveryCodes };
}

export async function removeFactor(
  deps: EnrolDeps,
  request: RequestOf<"remove-second-factor">,
  signal: AbortSignal,
): Promise<Reply> {
  const proved = await proveWhole(deps, request, signal);
  if ("outcome" in proved) return proved;
  await deps.store.remove(proved.of);
  return { outcome: "removed" };
}

/** Somebody with a second factor who has shown both. */
async function proveWhole(
  { store, prove }: EnrolDeps,
  request: PersonRequest,
  signal: AbortSignal,
): Promise<
  | { readonly of: PersonId; readonly secondFactorId: number }
  | Extract<Reply, { outcome: "denied" | "refused" | "busy" | "unavailable" }>
> {
  const verdict = await prove(request, signal);
  if (verdict.outcome === "second-factor-needed") return { outcome: "denied" };
  if (verdict.outcome !== "accepted") return verdict;
  const factor = await store.find(verdict.account.id);
  if (factor === undefined) return { outcome: "refused", text: "No second factor is set up." };
  return { of: verdict.account.id, secondFactorId: factor.id };
}

function makeCodes() {
  const recoveryCodes = Array.from({ length: RECOVERY_CODES }, () =>
    makeRecoveryCode(() => randomBytes(1)[0] ?? 0),
  );
  const codeHashes = recoveryCodes.flatMap((code) => hashRecoveryCode(code) ?? []);
  return { recoveryCodes, codeHashes };
}
