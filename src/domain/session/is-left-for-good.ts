import type { EndCause } from "./end-cause.ts";

/**
 * Causes after which a client that is still there doesn't come back by itself: somebody meant the end, or went on elsewhere. After any other, such as
 * a broker that is gone, the desktop waits for it.
 */
const MEANT = {
  "signed-out": true,
  "desktop-closed": true,
  "desktop-stopped": true,
  superseded: true,
  "ended-by-administrator": true,
  "ended-by-owner": true,
  forbidden: true,
  blocked: true,
} as const satisfies Partial<Record<EndCause, true>>;

export function isLeftForGood(cause: string): boolean {
  return Object.hasOwn(MEANT, cause);
}
