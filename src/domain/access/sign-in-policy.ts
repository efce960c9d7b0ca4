/**
 * A tenant's rules about signing in, as text of one rule a line:
 *
 *     allow by=local property=sign-in:local
 *     deny by=local
 *     second-factor group="Domain Admins",finance
 *     deny from=203.0.113.0/24
 *
 * All conditions of a rule must fit; of several values of one condition, one. The first `allow` or `deny` that fits
 * decides, and where none fits the sign-in is allowed. Each `second-factor` that fits asks for one, wherever it
 * stands. Pure; who obeys is `src/auth/chain`.
 */

import { type AddressRange, isInAddressRange, parseAddressRange } from "./address-range.ts";

export type SignInFacts = {
  /** The authenticator that proved it. */
  readonly by: string;
  readonly login: string;
  /** As the directory or provider says, by name. */
  readonly groups: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  /** Address of the person's client. */
  readonly origin: string;
};

export type SignInDecision = { readonly isAllowed: boolean; readonly needsSecondFactor: boolean };

type Condition = (facts: SignInFacts) => boolean;
export type SignInRule = {
  readonly effect: "allow" | "deny" | "second-factor";
  readonly conditions: readonly Condition[];
};

const MOST_RULES = 100;

export function decideSignIn(rules: readonly SignInRule[], facts: SignInFacts): SignInDecision {
  const fitting = rules.filter(({ conditions }) => conditions.every((fits) => fits(facts)));
  const verdict = fitting.find(({ effect }) => effect !== "second-factor");
  return {
    isAllowed: verdict?.effect !== "deny",
    needsSecondFactor: fitting.some(({ effect }) => effect === "second-factor"),
  };
}

/** What is wrong with the text, as the end of "it …". */
export function checkSignInPolicy(text: string): string | undefined {
  const parsed = parseSignInPolicy(text);
  return typeof parsed === "string" ? parsed : undefined;
}

/** The rules, or what is wrong with the text. */
export function parseSignInPolicy(text: string): readonly SignInRule[] | string {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^\s*#.*/, "").trim());
  const rules: SignInRule[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const rule = parseRule(line);
    if (typeof rule === "string") return `has a fault in line ${index + 1}: ${rule}`;
    rules.push(rule);
  }
  return rules.length > MOST_RULES ? `may have at most ${MOST_RULES} rules` : rules;
}

function parseRule(line: string): SignInRule | string {
  const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  if (word !== "allow" && word !== "deny" && word !== "second-factor")
    return "it must begin with allow, deny or second-factor";
  const conditions: Condition[] = [];
  // NAME=VALUE,"VALUE WITH BLANKS",…
  const shape = /\s*([a-z]+)=((?:"[^"]*"|[^\s",]+)(?:,(?:"[^"]*"|[^\s",]+))*)(?=\s|$)/y;
  let at = 0;
  while (at < rest.length) {
    shape.lastIndex = at;
    const match = shape.exec(rest);
    if (match === null) return `${JSON.stringify(rest.slice(at).trim())} is not NAME=VALUE`;
    at = shape.lastIndex;
    const values = (match[2]?.match(/"[^"]*"|[^",]+/g) ?? []).map((value) => value.replace(/^"|"$/g, ""));
    const condition = parseCondition(match[1] ?? "", values);
    if (typeof condition === "string") return condition;
    conditions.push(condition);
  }
  return { effect: word, conditions };
}

function parseCondition(name: string, values: readonly string[]): Condition | string {
  const folded = new Set(values.map(fold));
  switch (name) {
    case "by":
      return ({ by }) => folded.has(by) || (by === "local" && folded.has("default"));
    case "user":
      return ({ login }) => folded.has(fold(login));
    case "group":
      return ({ groups }) => groups.some((group) => folded.has(fold(group)));
    case "property":
      return parseProperties(values);
    case "from":
      return parseFrom(values);
    default:
      return `there is no condition ${name}; there are by, user, group, property and from`;
  }
}

function parseProperties(values: readonly string[]): Condition | string {
  const pairs = values.map((value) => /^([^:]+):(.*)$/.exec(value));
  if (pairs.includes(null)) return "property needs NAME:VALUE";
  return ({ properties }) => pairs.some((pair) => pair?.[1] !== undefined && properties[pair[1]] === pair[2]);
}

function parseFrom(values: readonly string[]): Condition | string {
  const ranges: AddressRange[] = [];
  for (const value of values) {
    const range = parseAddressRange(value);
    if (range === undefined) return `${JSON.stringify(value)} is no address or range`;
    ranges.push(range);
  }
  return ({ origin }) => ranges.some((range) => isInAddressRange(origin, range));
}

function fold(text: string): string {
  return text.toLowerCase();
}
