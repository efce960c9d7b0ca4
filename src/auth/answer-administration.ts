/** Answers what the admin process asks besides sign-ins: how a directory does, who is slowed down, and a secret sealed. */

import { asId, type TenantId } from "../domain/ids.ts";
import type { SettingValues } from "../domain/setting/registry.ts";
import { settingValues } from "../domain/setting/resolve.ts";
import { clip, MOST_AWAY, MOST_SLOWED } from "../wire/auth/administration.ts";
import type { AuthReply, AuthRequest } from "../wire/auth/requests.ts";
import type { AccountStore } from "./account-store.ts";
import type { AwayServer } from "./ldap/server-health.ts";
import type { TestedServer } from "./ldap/test-directory.ts";
import type { TestPace } from "./ldap/test-pace.ts";
import type { SlowedSignIn } from "./sign-in-throttle.ts";
import type { SiteThrottle } from "./site-throttle.ts";
import type { Tickets } from "./ticket.ts";
import { parseBase32 } from "./totp/base32.ts";

export type AdministrationDeps = {
  readonly listAway: () => readonly AwayServer[];
  readonly throttle: Pick<SiteThrottle, "list" | "forget">;
  readonly store: Pick<AccountStore, "readSettings">;
  readonly pace: TestPace;
  readonly tickets: Pick<Tickets, "sealBytes">;
  readonly testDirectory: (
    values: SettingValues,
    asked: { readonly login: string; readonly isByTenant: boolean; readonly signal: AbortSignal },
  ) => Promise<readonly TestedServer[]>;
};

type Request = Extract<
  AuthRequest,
  { kind: "test-directory" | "list-slowed" | "forget-slowed" | "list-away" | "seal-second-factor" }
>;
type Reply = AuthReply extends infer One ? (One extends AuthReply ? Omit<One, "id"> : never) : never;

export async function answerAdministration(
  deps: AdministrationDeps,
  request: Request,
  signal: AbortSignal,
): Promise<Reply> {
  switch (request.kind) {
    case "test-directory": {
      const { isByTenant = false } = request;
      const tenantId = request.tenantId === undefined ? undefined : asId<TenantId>(request.tenantId);
      if (isByTenant && tenantId !== undefined && !deps.pace.admits(tenantId))
        return { outcome: "busy", text: "Your directories were tried just now. Try again in ten seconds." };
      const values = settingValues(await deps.store.readSettings(tenantId), tenantId);
      const servers = await deps.testDirectory(values, {
        login: request.login.trim().toLowerCase(),
        isByTenant,
        signal,
      });
      return {
        outcome: "directory-tested",
        servers: servers.map(({ name, steps }) => ({ name, steps: [...steps] })),
      };
    }
    case "list-away":
      return {
        outcome: "away",
        directories: deps
          .listAway()
          .slice(0, MOST_AWAY)
          .map(({ name, text }) => ({ name: clip(name, 100), text: clip(text) })),
      };
    case "list-slowed": {
      const { slowed, total } = await deps.throttle.list(MOST_SLOWED, request.tenant);
      return { outcome: "slowed", slowed: slowed.map(toShape), total };
    }
    case "forget-slowed":
      return (await deps.throttle.forget(request.slowedId))
        ? { outcome: "forgotten" }
        : { outcome: "refused", text: "Nobody of this id is slowed down any more." };
    case "seal-second-factor": {
      const secret = parseBase32(request.secret);
      if (secret === undefined) return { outcome: "refused", text: "This is no secret in base 32." };
      const sealed = deps.tickets.sealBytes("secret", secret);
      return { outcome: "second-factor-sealed", sealedSecret: Buffer.from(sealed).toString("base64") };
    }
  }
}

/** Names are whatever a stranger typed. */
function toShape({ id, lane, failures, waitMs, ...who }: SlowedSignIn) {
  const { kind, login, tenant, origin } = who;
  return {
    id,
    lane,
    failures,
    waitMs,
    ...(kind === undefined ? {} : { kind }),
    ...(login === undefined ? {} : { login: clip(login, 80) }),
    ...(tenant === undefined ? {} : { tenant: clip(tenant, 80) }),
    ...(origin === undefined ? {} : { origin: clip(origin, 60) }),
  };
}
