/** Asks a tenant's directories in order until one answers, each within its time. */

import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { type DirectorySession, openSession } from "./directory-session.ts";
import type { DirectoryServer, DirectorySettings } from "./directory-settings.ts";
import type { ServerHealth } from "./server-health.ts";

export type DirectoryDeps = {
  readonly health: ServerHealth;
  /** PEM; what to trust where a tenant names no authority. */
  readonly systemAuthorities: string;
  readonly log: Log;
};

export type DirectoryAway = { readonly outcome: "unavailable"; readonly text: string };

type Asking<T> = {
  /** Rejects when this server can't answer. */
  readonly ask: (session: DirectorySession) => Promise<T>;
  readonly signal: AbortSignal;
};

export async function askDirectory<T>(
  deps: DirectoryDeps,
  settings: DirectorySettings,
  asking: Asking<T>,
): Promise<T | DirectoryAway> {
  const failures: string[] = [];
  for (const server of settings.servers) {
    const key = keyOf(server, settings);
    const resting = deps.health.restsFor(key);
    if (resting !== undefined) {
      failures.push(`${server.name} is left alone for a while: ${resting}`);
      continue;
    }
    try {
      const answer = await askServer(deps, server, { ...asking, timeoutMs: settings.timeoutMs });
      deps.health.noteSuccess(key);
      return answer;
    } catch (error) {
      if (asking.signal.aborted)
        return { outcome: "unavailable", text: "nobody waits for the answer any more" };
      const text = describeError(error);
      failures.push(`${server.name}: ${text}`);
      deps.health.noteFailure(key, { name: server.name, text });
      deps.log.warn("directory-failed", { server: server.name, text });
    }
  }
  return { outcome: "unavailable", text: failures.join("; ") };
}

async function askServer<T>(
  deps: DirectoryDeps,
  server: DirectoryServer,
  { ask, signal: asker, timeoutMs }: Asking<T> & { readonly timeoutMs: number },
): Promise<T> {
  const signal = AbortSignal.any([asker, AbortSignal.timeout(timeoutMs)]);
  const session = await openSession(server, { signal, systemAuthorities: deps.systemAuthorities });
  try {
    return await ask(session);
  } finally {
    session.close();
  }
}

/**
 * With how it is reached and asked: another tenant may have named the same server with a wrong authority, a searcher that
 * is refused, or less patience. That must not have it left alone for the others.
 */
function keyOf({ host, port, encryption, ca }: DirectoryServer, settings: DirectorySettings): string {
  const asked = JSON.stringify([ca, { ...settings, servers: [] }]);
  return JSON.stringify([host, port, encryption, Bun.hash(asked).toString(36)]);
}
