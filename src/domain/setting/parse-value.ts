/** From what a person typed to a setting's value, and from what the database holds to what code uses. */

import { isSettingName, type SettingName, specOf } from "./registry.ts";
import type { SealedSecret, SettingSpec, SettingValue } from "./spec.ts";

export const MOST_SETTING_CHARACTERS = { text: 4_096, long: 65_536, secret: 1_024 } as const;

type Parsed = { readonly value: SettingValue } | { readonly fault: string };

/** Of a secret the value is the secret itself, yet to be sealed. `fault` is the end of a sentence about it. */
export function parseSettingText(spec: SettingSpec, text: string): Parsed {
  switch (spec.kind) {
    case "number":
      return parseNumber(spec, text.trim());
    case "switch":
      return parseSwitch(text.trim().toLowerCase());
    case "choice":
      return spec.choices.includes(text.trim())
        ? { value: text.trim() }
        : { fault: `must be one of ${spec.choices.join(", ")}` };
    case "words":
      return parseWords(spec, text);
    case "secret":
      return parseSecret(text);
    case "text":
      return parseLine(spec, text);
  }
}

/** For pages and the command line. A secret is never shown, so it has no text. */
export function formatSettingValue(value: SettingValue | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value !== "object") return String(value);
  return isSealed(value) ? "" : value.join(", ");
}

export function isSealed(value: unknown): value is SealedSecret {
  return typeof value === "object" && value !== null && "sealed" in value && typeof value.sealed === "string";
}

/** A row of the database, or undefined when it isn't of this version's table: then the default holds. */
export function readStoredValue(
  name: string,
  stored: unknown,
): { readonly name: SettingName; readonly value: SettingValue } | undefined {
  if (!isSettingName(name)) return undefined;
  const spec = specOf(name);
  if (spec.kind === "secret") return isSealed(stored) ? { name, value: stored } : undefined;
  const text = Array.isArray(stored)
    ? stored.join(",")
    : typeof stored === "boolean"
      ? SWITCH[`${stored}`]
      : stored;
  const parsed = parseSettingText(spec, String(text));
  return "value" in parsed ? { name, value: parsed.value } : undefined;
}

const SWITCH = { true: "on", false: "off" } as const;

function parseNumber(spec: SettingSpec & { kind: "number" }, text: string): Parsed {
  const value = /^-?[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value >= spec.least && value <= spec.most
    ? { value }
    : { fault: `must be a whole number from ${spec.least} to ${spec.most}` };
}

function parseSwitch(text: string): Parsed {
  // QVD 4 wrote 1 and 0.
  if (["on", "yes", "true", "1"].includes(text)) return { value: true };
  if (["off", "no", "false", "0", ""].includes(text)) return { value: false };
  return { fault: "must be on or off" };
}

function parseWords(spec: SettingSpec & { kind: "words" }, text: string): Parsed {
  if (text.length > MOST_SETTING_CHARACTERS.text || /[^\P{Cc}\s]/u.test(text))
    return { fault: "must be words with commas between" };
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const stranger =
    spec.choices === undefined ? undefined : words.find((word) => !spec.choices?.includes(word));
  return stranger === undefined
    ? { value: words }
    : { fault: `must not have ${JSON.stringify(stranger)}: there are ${spec.choices?.join(", ")}` };
}

function parseSecret(text: string): Parsed {
  const { secret } = MOST_SETTING_CHARACTERS;
  return text.length > secret ? { fault: `must have at most ${secret} characters` } : { value: text };
}

function parseLine(spec: SettingSpec & { kind: "text" }, text: string): Parsed {
  const most = MOST_SETTING_CHARACTERS[spec.isLong ? "long" : "text"];
  if (text.length > most) return { fault: `must have at most ${most} characters` };
  const value = spec.isLong ? text.replaceAll("\r\n", "\n") : text.trim();
  if (/\p{Cc}/u.test(spec.isLong ? value.replace(/[\n\t]/g, "") : value))
    return { fault: spec.isLong ? "must be text" : "must be text on one line" };
  const fault = spec.check?.(value);
  return fault === undefined ? { value } : { fault };
}
