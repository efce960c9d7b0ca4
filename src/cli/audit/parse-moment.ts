import { AppError } from "../../lib/errors.ts";

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30m`, `2h` and `7d` ago, or a day or moment of this computer's (`2026-11-22`, `2026-11-22 08:00`); as ISO 8601. */
export function parseMoment(
  text: string,
  { name, nowMs }: { readonly name: string; readonly nowMs: number },
): string {
  const [, count, unit] = /^([1-9][0-9]{0,5})([mhd])$/.exec(text) ?? [];
  if (unit === "m" || unit === "h" || unit === "d")
    return new Date(nowMs - Number(count) * UNIT_MS[unit]).toISOString();
  // A day alone would be read as UTC's.
  const at = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(at.getTime())) return at.toISOString();
  throw new AppError("bad-input", `--${name} must be like 2h, 7d or 2026-11-22 08:00, not ${text}`, {
    field: name,
  });
}
