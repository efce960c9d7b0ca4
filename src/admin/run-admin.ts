/**
 * The admin process: the WAT and the API over TLS. It records wishes and shows what is; the database away,
 * the auth process away or no node at all, it stays up and says so.
 */

import { readFile } from "node:fs/promises";
import type { AuthClient } from "../auth/client.ts";
import type { Database } from "../db/client.ts";
import type { Clock } from "../lib/clock.ts";
import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { refuseNoAddress, serveQuietly } from "../ui/serve-quietly.ts";
import { connectWake } from "../wire/wake/client.ts";
import { createApp } from "./app.ts";
import type { AdminDeps } from "./deps.ts";
import { Live } from "./live.ts";

export type RunAdminDeps = {
  readonly database: Database;
  readonly auth: AuthClient;
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM files. */
  readonly tlsKey: string;
  readonly tlsCertificate: string;
  readonly caCertificate: string;
  readonly wakeSocket: string;
  readonly incomingFolder: string;
  readonly networkRange: string;
  readonly portal?: AdminDeps["portal"];
  readonly sealSecret: AdminDeps["sealSecret"];
  readonly hashPassword: (password: string) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the process; requests under way get a moment. */
  readonly signal: AbortSignal;
  /** Called once, when requests are answered. */
  readonly onReady?: (port: number) => void;
};

const LEAST_FREE_BYTES = 512 * 2 ** 20;
const MOST_UPLOAD_BYTES = 2 ** 40;
const DRAIN_MS = 1_500;

/** Resolves when the signal has ended it; rejects when the port can't be had. */
export async function runAdmin(deps: RunAdminDeps): Promise<void> {
  const { log, clock } = deps;
  const live = new Live({ clock, isWoken: () => wakes.isConnected() });
  const wakes = connectWake({ path: deps.wakeSocket, log, onWake: () => live.notice() });
  const app = createApp({
    db: deps.database.orm,
    auth: deps.auth,
    live,
    wake: (topic, vmId) => {
      wakes.wake(topic, vmId);
      // The node tells the others, not the one who woke it.
      live.notice();
    },
    hashPassword: deps.hashPassword,
    sealSecret: deps.sealSecret,
    randomToken: () => crypto.getRandomValues(Buffer.alloc(32)).toString("base64url"),
    incomingFolder: deps.incomingFolder,
    leastFreeBytes: LEAST_FREE_BYTES,
    networkRange: deps.networkRange,
    ...(deps.portal === undefined ? {} : { portal: deps.portal }),
    caCertificate: deps.caCertificate,
    clock,
    log,
  });
  const server = await listen(deps, app.fetch);
  live.start();
  log.info("admin-listening", { address: deps.address, port: server.port });
  deps.onReady?.(server.port ?? deps.port);
  await aborted(deps.signal);
  live.stop();
  wakes.close();
  const drained = server.stop();
  await Promise.race([drained, Bun.sleep(DRAIN_MS)]);
  await server.stop(true);
  log.info("admin-stopped");
}

type Fetch = (
  request: Request,
  env: { address?: string; holdOpen: () => void },
) => Response | Promise<Response>;

async function listen(deps: RunAdminDeps, fetch: Fetch) {
  const [key, cert] = await Promise.all([
    readFile(deps.tlsKey, "utf8"),
    readFile(deps.tlsCertificate, "utf8"),
  ]);
  try {
    return Bun.serve({
      hostname: deps.address,
      port: deps.port,
      tls: { key, cert },
      maxRequestBodySize: MOST_UPLOAD_BYTES,
      idleTimeout: 30,
      ...serveQuietly(deps.log),
      fetch(request, server) {
        const refusal = refuseNoAddress(request);
        if (refusal !== undefined) return refusal;
        const peer = server.requestIP(request)?.address;
        return fetch(request, {
          ...(peer === undefined ? {} : { address: peer }),
          holdOpen: () => server.timeout(request, 0),
        });
      },
    });
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `can't listen on ${deps.address}:${deps.port}: is another admin process there? QVD_ADMIN_PORT chooses another port`,
      { cause },
    );
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
