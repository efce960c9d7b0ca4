/** What auth answers the admin process besides sign-ins, for pages: some who are slowed down, and a directory with a fault. */

import type { AdminDeps } from "../../src/admin/deps.ts";
import type { SlowedShape } from "../../src/wire/auth/administration.ts";

export const PLAYED_SLOWED: readonly SlowedShape[] = [
  {
    id: "a1",
    lane: "pair",
    kind: "user",
    login: "ann",
    tenant: "default",
    origin: "192.0.2.17",
    failures: 12,
    waitMs: 7_200,
  },
  { id: "b2", lane: "account", kind: "administrator", login: "admin", tenant: "*", failures: 31, waitMs: 0 },
  { id: "c3", lane: "address", origin: "2001:db8:0:1::/64", failures: 130, waitMs: 4_900 },
  { id: "d4", lane: "account", kind: "user", login: "eve", tenant: "acme", failures: 40, waitMs: 900 },
  { id: "e5", lane: "code", kind: "user", login: "carla", tenant: "default", failures: 6, waitMs: 29_000 },
];

/** Forgets for real, so that a second time nobody is there. */
export function playAdministration(): AdminDeps["auth"]["ask"] {
  const gone = new Set<string>();
  return async (asked) => {
    switch (asked.kind) {
      case "list-slowed": {
        const slowed = PLAYED_SLOWED.filter(({ id, tenant }) => {
          return !gone.has(id) && (asked.tenant === undefined || tenant === asked.tenant);
        });
        return { id: 1, outcome: "slowed", slowed: [...slowed], total: slowed.length };
      }
      case "list-away": {
        const directories = [{ name: "ldaps://away.example.org", text: "connect ECONNREFUSED" }];
        return { id: 1, outcome: "away", directories };
      }
      case "forget-slowed":
        gone.add(asked.slowedId);
        return { id: 1, outcome: "forgotten" };
      case "test-directory": {
        const steps = [
          { what: "Connect", isGood: true, text: "It answers, encrypted from the start." },
          { what: `Find ${asked.login}`, isGood: false, text: "No entry below dc=example matches." },
        ];
        return { id: 1, outcome: "directory-tested", servers: [{ name: "ldaps://dc1.example.org", steps }] };
      }
      case "seal-second-factor":
        return { id: 1, outcome: "second-factor-sealed", sealedSecret: btoa("sealed") };
      default:
        return { id: 1, outcome: "denied" };
    }
  };
}
