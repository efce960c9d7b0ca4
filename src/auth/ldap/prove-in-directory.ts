/**
 * Whether a login and password are somebody's of a directory, and whose: QVD 4's order of questions.
 *
 *     pattern set      bind as the pattern's DN; success is enough
 *     base set         bind as the one who searches, search, exactly one entry, bind as that entry
 *     groups asked     of the entry (memberOf), or searched for below their base
 *
 * An unknown login is refused after as many questions as a known one with a wrong password.
 */

import { randomBytes } from "node:crypto";
import { type Entry, NoSuchObjectError } from "ldapts";
import { MOST_EXPRESSION_TEXT } from "../../domain/setting/bounded-expression.ts";
import type { BindOutcome, DirectorySession } from "./directory-session.ts";
import type { DirectorySettings } from "./directory-settings.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { fillDn, fillFilter, firstRdnValue, widenFilter } from "./templates.ts";

export type DirectoryFinding =
  | {
      readonly outcome: "proved";
      readonly dn: string;
      /** The login, or the entry's where names are normalised. */
      readonly login: string;
      readonly fullName: string;
      readonly groups: readonly string[];
      readonly parameters: Readonly<Record<string, string>>;
    }
  /** `why` is for administrators. */
  | { readonly outcome: "denied"; readonly why: string };

const INVALID_CREDENTIALS = 49;

type Person = {
  readonly login: string;
  readonly password: string;
  /** The login is an account's of ours. */
  readonly isAccountName?: true | undefined;
};
type Asked = {
  readonly session: DirectorySession;
  readonly settings: DirectorySettings;
  readonly person: Person;
};

const ATTRIBUTES = [
  "uid",
  "sAMAccountName",
  "cn",
  "displayName",
  "uidNumber",
  "gidNumber",
  "homeDirectory",
  "memberOf",
];

/** Rejects when the directory can't answer, or its settings are wrong: then nothing is known of the person. */
export async function proveInDirectory(
  session: DirectorySession,
  settings: DirectorySettings,
  person: Person,
): Promise<DirectoryFinding> {
  const asked: Asked = { session, settings, person };
  const direct = await bindByPattern(asked);
  if (direct !== undefined) return direct;
  if (settings.base === "") return { outcome: "denied", why: "the bind by pattern was refused" };
  const refusal = await bindToSearch(asked);
  if (refusal !== undefined) return { outcome: "denied", why: refusal };
  const found = await findEntry(asked);
  if (typeof found === "string") {
    // Somebody who isn't there, so that the answer takes as long as for somebody who is.
    const nobody = `cn=${randomBytes(9).toString("hex")},${fillDn(settings.base, person.login)}`;
    await session.bind(nobody, randomBytes(12).toString("hex"));
    return { outcome: "denied", why: found };
  }
  const bound = await session.bind(found.dn, person.password);
  const racf = judgeBind(settings, bound);
  if (racf === undefined)
    return {
      outcome: "denied",
      why: `the bind as ${found.dn} was refused${bound.outcome === "refused" ? `: ${explainRefusal(bound.text)}` : ""}`,
    };
  return await concludeEntry(asked, found, racf);
}

/**
 * The login of the account that a name stands for, as far as whoever searches may see. Undefined for nobody's, and where only
 * the person's own password would find them: none is needed here or tried.
 */
export async function findLogin(
  session: DirectorySession,
  settings: DirectorySettings,
  name: string,
): Promise<string | undefined> {
  const { base, bindDn, bindPassword } = settings;
  if (base === "" || (bindDn !== "" && bindPassword === undefined)) return undefined;
  const asked: Asked = { session, settings, person: { login: name, password: "" } };
  await bindToSearch(asked);
  const entry = await findEntry(asked);
  return typeof entry === "string" ? undefined : loginOf(entry, settings, name);
}

async function bindByPattern(asked: Asked): Promise<DirectoryFinding | undefined> {
  const { session, settings, person } = asked;
  if (settings.userBindPattern === "") return undefined;
  const dn = fillDn(settings.userBindPattern, person.login);
  const bound = await session.bind(dn, person.password);
  const racf = judgeBind(settings, bound);
  if (racf === undefined)
    // Where nobody is searched for, this was the answer.
    return settings.base === "" && bound.outcome === "refused"
      ? { outcome: "denied", why: `the bind as ${dn} was refused: ${explainRefusal(bound.text)}` }
      : undefined;
  // As QVD 4: who is bound is proved, and no attribute is read. Only what the site asks of groups needs the entry.
  if (!settings.groups.areAsked)
    return { outcome: "proved", dn, login: person.login, fullName: "", groups: [], parameters: racf };
  const entry = settings.base === "" ? await readEntry(asked, dn) : await findEntry(asked);
  if (typeof entry === "string") return { outcome: "denied", why: `bound as ${dn}, but ${entry}` };
  return await concludeEntry(asked, entry, racf);
}

/** What is known of a bind that counts as success; undefined when it doesn't. */
function judgeBind(
  { racfAllow }: DirectorySettings,
  bound: BindOutcome,
): Readonly<Record<string, string>> | undefined {
  if (bound.outcome === "done") return {};
  if (racfAllow === undefined || bound.code !== INVALID_CREDENTIALS) return undefined;
  // Silence means nothing, though an expression such as `.*` fits it.
  if (bound.text === "" || !racfAllow.test(bound.text.slice(0, MOST_EXPRESSION_TEXT))) return undefined;
  return { "qvd.auth.ldap.racf_detailed_error": bound.text };
}

/** What speaks against the person already; undefined when the search may begin. */
async function bindToSearch({ session, settings, person }: Asked): Promise<string | undefined> {
  if (settings.bindDn === "") return undefined;
  const dn = fillDn(settings.bindDn, person.login);
  const password = settings.bindPassword ?? person.password;
  const bound = await session.bind(dn, password);
  if (bound.outcome === "done") return undefined;
  if (settings.bindPassword === undefined) return `the bind as ${dn} with the person's password was refused`;
  throw new Error(`the bind as ${dn} (auth.ldap.binddn) was refused: ${explainRefusal(bound.text)}`);
}

/** The one entry, or why there isn't one. */
async function findEntry({ session, settings, person }: Asked): Promise<Entry | string> {
  const isOther = person.isAccountName === true && settings.normalizesName;
  const asked = isOther ? { ...settings, filter: widenFilter(settings.filter) } : settings;
  const { base, filter, entries } = await listSearched(session, asked, person.login);
  const [entry, second] = entries;
  if (entry === undefined) return `no entry below ${base} matches ${filter}`;
  return second === undefined ? entry : `more than one entry below ${base} matches ${filter}`;
}

/** What a search for a login finds, at most two entries; the session is bound as who may search. */
export async function listSearched(session: DirectorySession, settings: DirectorySettings, login: string) {
  const base = fillDn(settings.base, login);
  const filter = fillFilter(settings.filter, { login });
  const search = session.search(base, {
    scope: settings.scope,
    derefAliases: settings.deref,
    filter,
    attributes: ATTRIBUTES,
    // One more than there may be.
    sizeLimit: 2,
    timeLimit: Math.ceil(settings.timeoutMs / 1000),
  });
  // A base made of the login is missing for whoever isn't there; any other that is missing is a fault of the settings.
  const entries = settings.base.includes("%u") ? await unlessMissing(search) : await search;
  const [entry] = entries;
  return {
    base,
    filter,
    entries,
    /** Of the first entry. */
    listGroups: async () =>
      entry === undefined ? [] : await listGroups(session, settings, { entry, login }),
  };
}

async function unlessMissing(search: Promise<readonly Entry[]>): Promise<readonly Entry[]> {
  try {
    return await search;
  } catch (error) {
    if (error instanceof NoSuchObjectError) return [];
    throw error;
  }
}

async function readEntry({ session, settings }: Asked, dn: string): Promise<Entry | string> {
  if (!dn.includes("=")) return "auth.ldap.base is not set, so its groups can't be looked up";
  const options = { scope: "base", attributes: ATTRIBUTES, derefAliases: settings.deref } as const;
  const [entry] = await session.search(dn, options);
  return entry ?? `its entry ${dn} can't be read`;
}

async function concludeEntry(
  asked: Asked,
  entry: Entry,
  racf: Readonly<Record<string, string>>,
): Promise<DirectoryFinding> {
  const { settings, person } = asked;
  const groups = settings.groups.areAsked
    ? await listGroups(asked.session, settings, { entry, login: person.login })
    : [];
  const folded = new Set(groups.map((group) => group.toLowerCase()));
  const { required } = settings.groups;
  if (required.length > 0 && !required.some((group) => folded.has(group.toLowerCase())))
    return { outcome: "denied", why: `${entry.dn} is in none of the groups ${required.join(", ")}` };
  return {
    outcome: "proved",
    dn: entry.dn,
    login: loginOf(entry, settings, person.login),
    fullName: (firstValue(entry, "displayName") ?? firstValue(entry, "cn") ?? "").slice(0, 200),
    groups,
    parameters: { ...racf, ...readParameters(entry, settings) },
  };
}

function loginOf(entry: Entry, { normalizesName }: DirectorySettings, typed: string): string {
  const [uid, account] = [firstValue(entry, "uid"), firstValue(entry, "sAMAccountName")];
  return (normalizesName ? (uid ?? account ?? typed) : typed).trim().toLowerCase();
}

async function listGroups(
  session: DirectorySession,
  settings: DirectorySettings,
  { entry, login }: { readonly entry: Entry; readonly login: string },
): Promise<readonly string[]> {
  const { base, filter } = settings.groups;
  if (base === "") return values(entry, "memberOf").map(firstRdnValue);
  const found = await session.search(base, {
    scope: "sub",
    derefAliases: settings.deref,
    filter: fillFilter(filter, { login, dn: entry.dn }),
    attributes: ["cn"],
    sizeLimit: 1_000,
    timeLimit: Math.ceil(settings.timeoutMs / 1000),
  });
  return found.map((group) => firstValue(group, "cn") ?? firstRdnValue(group.dn));
}

function readParameters(entry: Entry, settings: DirectorySettings): Readonly<Record<string, string>> {
  const home = firstValue(entry, "homeDirectory");
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ["qvd.vm.user.uid", firstValue(entry, "uidNumber")],
    ["qvd.vm.user.gid", firstValue(entry, "gidNumber")],
    ["qvd.vm.user.ldap.name", firstValue(entry, "uid")],
    ["qvd.vm.user.ldap.home", home],
    ["qvd.vm.user.home", settings.setsHome ? home : undefined],
  ];
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function firstValue(entry: Entry, name: string): string | undefined {
  return values(entry, name)[0];
}

/** Directories spell the names of attributes as they like. */
function values(entry: Entry, name: string): readonly string[] {
  const key = Object.keys(entry).find((one) => one.toLowerCase() === name.toLowerCase());
  const value = key === undefined ? undefined : entry[key];
  const all = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return all.map((one) => (typeof one === "string" ? one : Buffer.from(one).toString("utf8")));
}
