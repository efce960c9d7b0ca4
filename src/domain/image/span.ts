/** Spans of time as administrators type and read them: `never`, `0`, `90s`, `15m`, `2h`, `3d`. */

const UNITS = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 } as const;

/** Seconds; null for never; undefined when it is no span. */
export function parseSpan(text: string): number | null | undefined {
  const word = text.trim().toLowerCase();
  if (["", "never", "none"].includes(word)) return null;
  const found = /^([0-9]{1,9})\s*(s|min|m|h|d)?$/.exec(word);
  if (found === null) return undefined;
  const unit = UNITS[(found[2] ?? "s") as keyof typeof UNITS];
  return Number(found[1]) * unit;
}

/** The shortest text that `parseSpan` reads as the same. */
export function formatSeconds(seconds: number | null): string {
  if (seconds === null) return "never";
  for (const unit of ["d", "h", "m"] as const)
    if (seconds > 0 && seconds % UNITS[unit] === 0) return `${seconds / UNITS[unit]}${unit}`;
  return seconds === 0 ? "0" : `${seconds}s`;
}
