/** Where the pages of the QVD port are, as the browser of whoever asks reaches them. */

import type { AdminDeps } from "./deps.ts";

const CLIENT_PORT = 8443;

export function portalOrigin({ portal }: Pick<AdminDeps, "portal">, requestUrl: string): string {
  const { address = "", port = CLIENT_PORT } = portal ?? {};
  if (URL.canParse(address)) return new URL(address).origin;
  return new URL(`https://${new URL(requestUrl).hostname}:${port}`).origin;
}

/** The page of a visit. Its ticket stands where no server is told of it. */
export function visitAddress(deps: Pick<AdminDeps, "portal">, requestUrl: string, ticket: string): string {
  return `${portalOrigin(deps, requestUrl)}/visit#${ticket}`;
}
