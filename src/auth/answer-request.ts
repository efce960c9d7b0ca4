/** The requests of the auth socket: each is done, refused with a sentence, or answered as the proof in it deserves. */

import { asId, type UserId, type VmId } from "../domain/ids.ts";
import { assertNever, describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { AuthReply, AuthRequest } from "../wire/auth/requests.ts";
import { type AdministrationDeps, answerAdministration } from "./answer-administration.ts";
import { beginOidc, describeOidc } from "./oidc/answer-oidc.ts";
import type { OidcDeps } from "./oidc/begin.ts";
import type { TokenStore } from "./tokens/token-store.ts";
import { describeSecondFactor } from "./totp/describe.ts";
import { beginEnrolment, confirmEnrolment, type EnrolDeps, removeFactor, renewCodes } from "./totp/enrol.ts";
import { createUnlockCode, type UnlockDeps, unlockScreen } from "./unlock/unlock.ts";

export type RequestDeps = {
  readonly enrol: EnrolDeps;
  readonly tokens: TokenStore;
  readonly oidc: OidcDeps;
  readonly unlock: UnlockDeps;
  readonly administration: AdministrationDeps;
  readonly log: Log;
};

type Reply = AuthReply extends infer One ? (One extends AuthReply ? Omit<One, "id"> : never) : never;

export async function answerRequest(
  deps: RequestDeps,
  request: AuthRequest,
  signal: AbortSignal,
): Promise<AuthReply> {
  const { id, kind } = request;
  const origin =
    "origin" in request ? request.origin : "vmId" in request ? `desktop ${request.vmId}` : "admin";
  try {
    const reply = await decideReply(deps, request, signal);
    deps.log.info("request-answered", { kind, origin, outcome: reply.outcome });
    return { id, ...reply };
  } catch (error) {
    if (isAppError(error) && error.code !== "database-away")
      return { id, outcome: "refused", text: describeError(error) };
    deps.log.error("request-failed", { kind, error });
    return { id, outcome: "unavailable", text: "This can't be done at the moment. Retry in a few minutes." };
  }
}

function decideReply(deps: RequestDeps, request: AuthRequest, signal: AbortSignal): Promise<Reply> {
  switch (request.kind) {
    case "create-token":
      return createToken(deps.tokens, request);
    case "give-back-token":
      return giveBackToken(deps.tokens, request);
    case "begin-enrolment":
      return beginEnrolment(deps.enrol, request, signal);
    case "confirm-enrolment":
      return confirmEnrolment(deps.enrol, request, signal);
    case "describe-second-factor":
      return describeSecondFactor(deps.enrol.store, asId<UserId>(request.userId));
    case "renew-recovery-codes":
      return renewCodes(deps.enrol, request, signal);
    case "remove-second-factor":
      return removeFactor(deps.enrol, request, signal);
    case "describe-oidc":
      return describeOidc(deps.oidc, request);
    case "begin-oidc":
      return beginOidc(deps.oidc, request);
    case "create-unlock-code":
      return createUnlockCode(deps.unlock, request, signal);
    case "test-directory":
    case "list-slowed":
    case "list-away":
    case "forget-slowed":
    case "seal-second-factor":
      return answerAdministration(deps.administration, request, signal);
    case "unlock":
      return unlockScreen(
        deps.unlock,
        { ...request, userId: asId<UserId>(request.userId), vmId: asId<VmId>(request.vmId) },
        signal,
      );
    default:
      return assertNever(request);
  }
}

async function giveBackToken(
  tokens: TokenStore,
  { token, origin }: Extract<AuthRequest, { kind: "give-back-token" }>,
): Promise<Reply> {
  await tokens.giveBack({ token, origin });
  return { outcome: "removed" };
}

async function createToken(
  tokens: TokenStore,
  request: Extract<AuthRequest, { kind: "create-token" }>,
): Promise<Reply> {
  const userId = asId<UserId>(request.userId);
  const most = await tokens.readMostSeconds(userId);
  const { token, tokenId } = await tokens.create({
    userId,
    vmId: request.vmId === undefined ? undefined : asId<VmId>(request.vmId),
    isMultiUse: request.isMultiUse,
    parameters: request.parameters ?? {},
    lifetimeSeconds: Math.min(most, request.lifetimeSeconds ?? most),
    origin: request.origin,
  });
  return { outcome: "token-created", token, tokenId };
}
