/** What each of a tenant's directories says when it is tried step by step, in words for whoever sets it up. */

import type { SettingValues } from "../../domain/setting/registry.ts";
import { describeError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import { clip, type DirectoryStep } from "../../wire/auth/administration.ts";
import { type DirectorySession, openSession } from "./directory-session.ts";
import { type DirectoryServer, type DirectorySettings, readDirectorySettings } from "./directory-settings.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { listSearched } from "./prove-in-directory.ts";
import { fillDn } from "./templates.ts";

export type TestedServer = { readonly name: string; readonly steps: readonly DirectoryStep[] };

export type TestDeps = { readonly secretKey: Uint8Array | undefined; readonly systemAuthorities: string };

const MOST_SERVERS = 8;

/** Never rejects: what fails is a step that isn't good. No password of a person is asked for or tried. */
export async function testDirectory(
  deps: TestDeps,
  values: SettingValues,
  asked: { readonly login: string; readonly isByTenant?: boolean; readonly signal: AbortSignal },
): Promise<readonly TestedServer[]> {
  const settings = readDirectorySettings(values, deps.secretKey);
  if ("fault" in settings)
    return [{ name: "Settings", steps: [{ what: "Settings", isGood: false, text: clip(settings.fault) }] }];
  const servers = settings.servers.slice(0, MOST_SERVERS);
  return await Promise.all(
    servers.map(async (server) => ({
      name: clip(server.name, 100),
      steps: (await testServer(deps, server, { settings, ...asked })).map((step) => ({
        ...step,
        text: clip(step.text),
      })),
    })),
  );
}

type Asked = {
  readonly settings: DirectorySettings;
  readonly login: string;
  readonly isByTenant?: boolean;
  readonly signal: AbortSignal;
};

/** For a place that is silent to be given up, however busy this process is; so nobody is told earlier or later than others. */
const GIVEN_UP_MS = 250;

/** The same words, as late, whatever was wrong: neither tells what listens where. */
const NOT_REACHED =
  "It can't be reached, or is no directory whose certificate is trusted. The site's administrators are told more here.";

async function testServer(
  deps: TestDeps,
  server: DirectoryServer,
  { settings, login, isByTenant = false, signal }: Asked,
): Promise<readonly DirectoryStep[]> {
  const startMs = performance.now();
  const steps: DirectoryStep[] = [];
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMs)]);
  /** Returns whether the next step makes sense. */
  const step = async (what: string, work: () => Promise<string>): Promise<boolean> => {
    try {
      steps.push({ what, isGood: true, text: await work() });
      return true;
    } catch (error) {
      steps.push({ what, isGood: false, text: advise(describeError(error), server) });
      return false;
    }
  };
  let session: DirectorySession | undefined;
  try {
    const isOpen = await step("Connect", async () => {
      session = await openSession(server, { signal: bounded, systemAuthorities: deps.systemAuthorities });
      await session.greet();
      return ENCRYPTION[server.encryption];
    });
    if (!isOpen && isByTenant) {
      // What is silent is given up at the set time; what refused at once waits for the same moment.
      await sleep(settings.timeoutMs + GIVEN_UP_MS - (performance.now() - startMs), signal);
      return [{ what: "Connect", isGood: false, text: NOT_REACHED }];
    }
    if (!isOpen || session === undefined) return steps;
    const opened = session;
    if (!(await step("Sign in to search", () => bindToSearch(opened, settings, login)))) return steps;
    if (login !== "") await step(`Find ${login}`, () => find(opened, settings, login));
    return steps;
  } finally {
    session?.close();
  }
}

const ENCRYPTION = {
  tls: "It answers, encrypted from the start, with a certificate that is trusted.",
  starttls: "It answers, encrypted by StartTLS, with a certificate that is trusted.",
  none: "It answers, without encryption: passwords are sent in the clear.",
} as const satisfies Record<DirectoryServer["encryption"], string>;

async function bindToSearch(
  session: DirectorySession,
  settings: DirectorySettings,
  login: string,
): Promise<string> {
  if (settings.base === "")
    return "Nobody is searched for: auth.ldap.base is empty, people are bound by the pattern alone.";
  if (settings.bindDn === "") return "Searches as nobody, since auth.ldap.binddn is empty.";
  const dn = fillDn(settings.bindDn, login);
  if (settings.bindPassword === undefined)
    return `Searches as ${dn} with the person's own password, since auth.ldap.bindpass is not set; that can't be tried here.`;
  const bound = await session.bind(dn, settings.bindPassword);
  if (bound.outcome === "done") return `Signed in as ${dn}.`;
  throw new Error(
    `The directory refused ${dn} (auth.ldap.binddn) or its password (auth.ldap.bindpass): ${explainRefusal(bound.text)}`,
  );
}

async function find(session: DirectorySession, settings: DirectorySettings, login: string): Promise<string> {
  if (settings.base === "") return `People are bound as ${fillDn(settings.userBindPattern, login)}.`;
  const found = await listSearched(session, settings, login);
  const [first] = found.entries;
  if (first === undefined)
    throw new Error(`No entry below ${found.base} (${settings.scope}) matches ${found.filter}.`);
  if (found.entries.length > 1)
    throw new Error(
      `More than one entry below ${found.base} matches ${found.filter}; such a person is refused.`,
    );
  const groups = settings.groups.areAsked ? await found.listGroups() : [];
  const needed = settings.groups.required;
  const isIn =
    needed.length === 0 ||
    needed.some((one) => groups.some((group) => group.toLowerCase() === one.toLowerCase()));
  const words = settings.groups.areAsked ? ` Groups: ${groups.join(", ") || "none"}.` : "";
  if (isIn) return `Found ${first.dn}.${words}`;
  throw new Error(
    `Found ${first.dn}, who is in none of the groups ${needed.join(", ")} and so refused.${words}`,
  );
}

/** The library's and the system's words, with what to do about the usual ones. */
function advise(text: string, server: DirectoryServer): string {
  const advice = ADVICE.find(([pattern]) => pattern.test(text))?.[1];
  return `${text.replace(/\.?$/, ".")}${advice === undefined ? "" : ` ${advice(server)}`}`;
}

const ADVICE: readonly (readonly [RegExp, (server: DirectoryServer) => string])[] = [
  [/ECONNREFUSED/, ({ host, port }) => `Nothing listens on port ${port} of ${host}.`],
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo/, ({ host }) => `This box can't resolve the name ${host}.`],
  [
    /self.signed|unable to (get|verify)|certificate/i,
    ({ ca }) =>
      ca === ""
        ? "Put the certificate of the authority that signed it into auth.ldap.ca."
        : "Its certificate is not signed by the authority in auth.ldap.ca, has lapsed, or is for another name.",
  ],
  [/too long/, ({ host, port }) => `Is ${host}:${port} let through by the firewalls in between?`],
  [/closed the connection/, ({ encryption }) => (encryption === "starttls" ? "Is it an ldaps:// port?" : "")],
];
