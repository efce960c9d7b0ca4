/** Asks a tenant's directories in order until one answers, each within its time. */

import { describeError } from "../../lib/errors.ts";
import type { Log } from "../../lib/log.ts";
import { openSession } from "./directory-session.ts";
import type { DirectoryServer, DirectorySettings } from "./directory-settings.ts";
import { type DirectoryFinding, proveInDirectory } from "./prove-in-directory.ts";
import type { ServerHealth } from "./server-health.ts";

export type DirectoryDeps = {
  readonly health: ServerHealth;
  /** PEM; what to trust where a tenant names no authority. */
  readonly systemAuthorities: string;
  readonly log: Log;
};

export type AskedDirectory = DirectoryFinding | { readonly outcome: "unavailable"; readonly text: string };

export async function askDirectory(
  deps: DirectoryDeps,
  settings: DirectorySettings,
  person: { readonly login: string; readonly password: string; readonly signal: AbortSignal },
): Promise<AskedDirectory> {
  const failures: string[] = [];
  for (const server of settings.servers) {
    const key = keyOf(server, settings);
    const resting = deps.health.restsFor(key);
    if (resting !== undefined) {
      failures.push(`${server.name} is left alone for a while: ${resting}`);
      continue;
    }
    try {
      const finding = await askServer(deps, server, { settings, person });
      deps.health.noteSuccess(key);
      return finding;
    } catch (error) {
      if (person.signal.aborted)
        return { outcome: "unavailable", text: "nobody waits for the answer any more" };
      const text = describeError(error);
      failures.push(`${server.name}: ${text}`);
      deps.health.noteFailure(key, { name: server.name, text });
      deps.log.warn("directory-failed", { server: server.name, text });
    }
  }
  return { outcome: "unavailable", text: failures.join("; ") };
}

async function askServer(
  deps: DirectoryDeps,
  server: DirectoryServer,
  {
    settings,
    person,
  }: { readonly settings: DirectorySettings; readonly person: Parameters<typeof askDirectory>[2] },
): Promise<DirectoryFinding> {
  const signal = AbortSignal.any([person.signal, AbortSignal.timeout(settings.timeoutMs)]);
  const session = await openSession(server, { signal, systemAuthorities: deps.systemAuthorities });
  try {
    return await proveInDirectory(session, settings, person);
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
