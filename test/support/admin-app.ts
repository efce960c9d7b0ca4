/** The admin app without a socket: real database, real verbs, the rights of the admin role; only auth is played. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { Hono } from "hono";
import { createApp } from "../../src/admin/app.ts";
import type { AdminDeps } from "../../src/admin/deps.ts";
import type { AdminEnv } from "../../src/admin/env.ts";
import { Live } from "../../src/admin/live.ts";
import type { AdministratorId } from "../../src/domain/ids.ts";
import { asId } from "../../src/domain/ids.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { beginSignIn } from "../../src/service/sign-in/begin.ts";
import { createTestDatabase, type TestDatabase } from "./cluster.ts";
import { playAdministration } from "./play-administration.ts";
import { PASSWORD, seedSite } from "./wat-site.ts";

export type SignedInAs = {
  readonly token: string;
  readonly csrf: string;
  readonly cookie: string;
};

export type AdminApp = {
  readonly app: Hono<AdminEnv>;
  readonly database: TestDatabase;
  readonly incomingFolder: string;
  /** Topics of wakes sent, oldest first. */
  readonly wakes: string[];
  readonly live: Live;
  signIn(login: string): Promise<SignedInAs>;
  stop(): Promise<void>;
};

export const ORIGIN = "https://wat.test";

let tokens = 0;

export type AdminAppOptions = {
  readonly leastFreeBytes?: number;
  readonly sealSecret?: AdminDeps["sealSecret"];
  /** A real one instead of a played. */
  readonly auth?: AdminDeps["auth"];
  /** Instead of a fresh one of the shared cluster; dropped with the app all the same. */
  readonly database?: TestDatabase;
};

export async function createAdminApp(options: AdminAppOptions = {}): Promise<AdminApp> {
  const database = options.database ?? (await createTestDatabase());
  const ids = await seedSite(database);
  const incomingFolder = await mkdtemp(`${tmpdir()}/qvd-incoming-`);
  const db = database.open("qvd_admin").orm;
  const wakes: string[] = [];
  const live = new Live({ clock: systemClock, isWoken: () => true });
  const randomToken = () => `token-${++tokens}-${crypto.randomUUID()}`;
  const app = createApp({
    db,
    live,
    randomToken,
    incomingFolder,
    auth: options.auth ?? {
      ask: playAdministration(),
      verify: async ({ login, proof }) => {
        const password = proof.kind === "password" ? proof.password : "";
        if (login === "slow") return { id: 1, outcome: "unavailable", text: "Passwords can't be verified." };
        const administratorId = ids.get(login);
        if (administratorId === undefined || password !== PASSWORD) return { id: 1, outcome: "denied" };
        return {
          id: 1,
          outcome: "accepted",
          administratorId,
          login,
          tenantId: 0,
          tenantName: "*",
          by: "local",
        };
      },
    },
    wake: (topic, vmId) => wakes.push(vmId === undefined ? topic : `${topic} ${vmId}`),
    sealSecret: options.sealSecret ?? (async () => ({ sealed: "sealed" })),
    hashPassword: async (password) => `hash of ${password.length}`,
    leastFreeBytes: options.leastFreeBytes ?? 0,
    networkRange: "10.91.0.0/16",
    clock: systemClock,
    log: silentLog(),
  });
  return {
    app,
    database,
    incomingFolder,
    wakes,
    live,
    async signIn(login) {
      const administratorId = asId<AdministratorId>(ids.get(login) ?? 0);
      const context = { db, actor: { kind: "system", what: "test" } as const };
      const { token, csrfToken } = await beginSignIn(context, { randomToken }, { administratorId });
      return { token, csrf: csrfToken, cookie: `__Host-qvd-session=${token}` };
    },
    async stop() {
      live.stop();
      await database.drop();
      await rm(incomingFolder, { recursive: true, force: true });
    },
  };
}

/** A form as a browser would send it from a page of ours. */
export function postForm(
  admin: Pick<AdminApp, "app">,
  path: string,
  as: SignedInAs,
  fields: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return Promise.resolve(
    admin.app.request(ORIGIN + path, {
      method: "POST",
      headers: {
        Cookie: as.cookie,
        Origin: ORIGIN,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams({ csrf: as.csrf, ...fields }).toString(),
    }),
  );
}

export function getPage(admin: Pick<AdminApp, "app">, path: string, as?: SignedInAs): Promise<Response> {
  const headers: Record<string, string> = { Accept: "text/html", ...(as ? { Cookie: as.cookie } : {}) };
  return Promise.resolve(admin.app.request(ORIGIN + path, { headers }));
}

export function askApi(
  admin: Pick<AdminApp, "app">,
  request: { readonly method: string; readonly path: string; readonly body?: unknown },
  as?: SignedInAs,
): Promise<Response> {
  const headers: Record<string, string> = {
    "Content-Type": "application/json",
    ...(as ? { Authorization: `Bearer ${as.token}` } : {}),
  };
  const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
  const address = `${ORIGIN}/api/v1${request.path}`;
  return Promise.resolve(admin.app.request(address, { method: request.method, headers, ...body }));
}
