/** On which X server a session begins, where the image has both. Pure. */

import type { PrepareOrder } from "./order.ts";

/**
 * Xvnc for whom a browser brings, nxagent for NX clients: each is the cheapest for those. The parameter is the site's word, by
 * a property; see `docs/operations/browser.md`.
 */
export function chooseServer({ access, client }: Pick<PrepareOrder, "access" | "client">): "nx" | "vnc" {
  if (access !== "browser") return "nx";
  return client.given?.["qvd.client.browser.server"] === "nx" ? "nx" : "vnc";
}
