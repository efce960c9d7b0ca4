/** Turns the text of a setting into its value, or says in a sentence what is wrong with it. */

import type { SettingSpec } from "./settings.ts";

export type SettingValue = string | number | boolean;

export type ParsedSetting =
  | { readonly ok: true; readonly value: SettingValue }
  | { readonly ok: false; readonly fault: string };

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

export function parseSetting(spec: SettingSpec, text: string): ParsedSetting {
  switch (spec.type) {
    case "text":
      return { ok: true, value: text };
    case "path":
      return text === "" || text.startsWith("/")
        ? { ok: true, value: text }
        : wrong(spec, text, "a path that starts with /");
    case "number":
      return /^[0-9]{1,10}$/.test(text)
        ? { ok: true, value: Number(text) }
        : wrong(spec, text, "a whole number");
    case "flag":
      return text === "1" || text === "0" ? { ok: true, value: text === "1" } : wrong(spec, text, "1 or 0");
    case "size":
      return parseSize(spec, text);
    case "choice":
      return spec.choices?.includes(text)
        ? { ok: true, value: text }
        : wrong(spec, text, `one of ${spec.choices?.join(", ") ?? ""}`);
  }
}

function parseSize(spec: SettingSpec, text: string): ParsedSetting {
  const [, digits, unit = ""] = /^([0-9]{1,10})([kMGT]?)$/.exec(text) ?? [];
  const factor = UNITS[unit];
  if (digits === undefined || factor === undefined) return wrong(spec, text, "a size such as 512M or 20G");
  return { ok: true, value: Number(digits) * factor };
}

function wrong(spec: SettingSpec, text: string, wanted: string): ParsedSetting {
  const shown = spec.isSecret ? "it" : JSON.stringify(text);
  return { ok: false, fault: `${spec.name} must be ${wanted}, and ${shown} is not` };
}
