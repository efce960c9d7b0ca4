/**
 * People of a tenant's directory, LDAP or Active Directory. The directory says whose a password is; the account that
 * belongs to it is ours. A wrong password is remembered for a moment: the original client tries each five times, and
 * many directories lock an account after as many.
 */

import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { Authenticator, Finding } from "../authenticator.ts";
import { FairQueue, MAY_WAIT_MS } from "../fair-queue.ts";
import { askDirectory, type DirectoryAway, type DirectoryDeps } from "./ask-directory.ts";
import type { DirectorySession } from "./directory-session.ts";
import { readDirectorySettings } from "./directory-settings.ts";
import { type DirectoryFinding, findLogin, proveInDirectory } from "./prove-in-directory.ts";

export type LdapDeps = DirectoryDeps & {
  readonly clock: Clock;
  /** Opens the search DN's password. */
  readonly secretKey: Uint8Array | undefined;
};

/** Directories do the work; what is bounded is how many are asked at a time. Who waits costs next to nothing. */
const QUEUE = { atOnce: 32, mostWaiting: 5_000, firstTaskMs: 200 } as const;
/** Their own: a crowd of users keeps none of them out. */
const ADMINISTRATORS = { atOnce: 4, mostWaiting: 500, firstTaskMs: 200 } as const;
const REFUSED_AGAIN = { forMs: 10_000, most: 2_000 } as const;

export function createLdapAuthenticator(deps: LdapDeps): Authenticator {
  const queues = {
    user: new FairQueue(QUEUE, deps.clock),
    administrator: new FairQueue(ADMINISTRATORS, deps.clock),
  };
  const refused = new LatelyRefused(deps.clock);
  return {
    name: "ldap",
    proofs: ["password"],
    async prove(attempt, signal): Promise<Finding> {
      const { kind, name, isAccountName, proof, settings: values, origin } = attempt;
      if (name === undefined || proof.kind !== "password" || proof.password === "")
        return { outcome: "denied" };
      if (isFolded(name.login)) return { outcome: "denied" };
      const settings = readDirectorySettings(values, deps.secretKey);
      if ("fault" in settings) return { outcome: "unavailable", text: settings.fault };
      const key = refused.keyOf([settings.servers, name, isAccountName, proof.password]);
      if (refused.has(key)) return { outcome: "denied" };
      const person = { login: name.login, password: proof.password, isAccountName };
      const { asker = origin, mayWaitMs = MAY_WAIT_MS, onPlace } = attempt;
      const ask = (session: DirectorySession) => proveInDirectory(session, settings, person);
      const prove = () => askDirectory(deps, settings, { ask, signal });
      const served = await queues[kind].run(prove, { asker, mayWaitMs, onPlace, signal });
      if (served.outcome === "full") return { outcome: "busy", retryMs: served.retryMs };
      if (served.outcome === "left") return { outcome: "unavailable", text: "Whoever asked has left." };
      const finding = served.value;
      if (finding.outcome === "denied") {
        refused.add(key);
        deps.log.info("directory-denied", { login: name.login, tenant: name.tenant, why: finding.why });
      }
      return toFinding(finding, name.tenant);
    },
    async findName(attempt, signal) {
      const { kind, name, isAccountName, settings: values, origin } = attempt;
      const settings = readDirectorySettings(values, deps.secretKey);
      if ("fault" in settings || !settings.normalizesName) return undefined;
      if (name === undefined || isAccountName || isFolded(name.login)) return undefined;
      // Kept in an object: a name that is nobody's is an answer as well.
      const ask = async (session: DirectorySession) => ({
        login: await findLogin(session, settings, name.login),
      });
      const find = () => askDirectory(deps, settings, { ask, signal });
      const { asker = origin, mayWaitMs = MAY_WAIT_MS, onPlace } = attempt;
      const served = await queues[kind].run(find, { asker, mayWaitMs, onPlace, signal });
      if (served.outcome !== "served" || !("login" in served.value)) return undefined;
      const { login } = served.value;
      return login === undefined ? undefined : { login, tenant: name.tenant };
    },
    tellPlaces: () => queues.user.tellPlaces(),
  };
}

/** Directories fold such letters together, and accounts of ours don't: one person would have several. */
function isFolded(login: string): boolean {
  return login.normalize("NFKC").toLowerCase() !== login;
}

function toFinding(finding: DirectoryFinding | DirectoryAway, tenant: string): Finding {
  if (finding.outcome !== "proved")
    return finding.outcome === "denied"
      ? { outcome: "denied" }
      : { outcome: "unavailable", text: finding.text };
  const { login, fullName, groups, parameters } = finding;
  return { outcome: "proved", name: { login, tenant }, fullName, groups, parameters };
}

/** Guesses that were wrong a moment ago, none of them readable. */
class LatelyRefused {
  readonly #clock: Clock;
  readonly #secret = randomBytes(32);
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  keyOf(guess: unknown): string {
    return createHmac("sha256", this.#secret).update(JSON.stringify(guess)).digest("base64");
  }

  has(key: string): boolean {
    return (this.#untilMs.get(key) ?? 0) > this.#clock.monotonicMs();
  }

  add(key: string): void {
    this.#untilMs.delete(key);
    this.#untilMs.set(key, this.#clock.monotonicMs() + REFUSED_AGAIN.forMs);
    const oldest = this.#untilMs.size > REFUSED_AGAIN.most ? this.#untilMs.keys().next().value : undefined;
    if (oldest !== undefined) this.#untilMs.delete(oldest);
  }
}
