/**
 * What broker and agent tell each other about a screen that a browser shows: JSON lines on the channel `control`
 * of the display door. The agent's words come out of a desktop, so the broker reads them as hostile; they end in
 * the page of the desktop's own user.
 */

export const MOST_CONTROL_BYTES = 4096;

/** What X allows: nxagent's RANDR offers no more, and windows need some room. */
export const SCREEN_BOUNDS = {
  least: { width: 320, height: 240 },
  most: { width: 1920, height: 1200 },
} as const;

export type ScreenSize = { readonly width: number; readonly height: number };

/** To the agent. */
export type DisplayOrder = { readonly type: "resize" } & ScreenSize;

/** The nearest size that a screen may have. */
export function fitScreen(wanted: ScreenSize): ScreenSize {
  const { least, most } = SCREEN_BOUNDS;
  const clamp = (value: number, from: number, to: number) =>
    Math.min(to, Math.max(from, Math.round(Number.isFinite(value) ? value : from)));
  return {
    width: clamp(wanted.width, least.width, most.width),
    height: clamp(wanted.height, least.height, most.height),
  };
}

/** `WxH` as clients give it; undefined when it isn't that. */
export function parseScreenSize(geometry: string): ScreenSize | undefined {
  const found = /^([1-9][0-9]{1,4})x([1-9][0-9]{1,4})$/.exec(geometry);
  return found === null ? undefined : { width: Number(found[1]), height: Number(found[2]) };
}

export function formatDisplayOrder(order: DisplayOrder): string {
  return `${JSON.stringify(order)}\n`;
}

/** Undefined when the line is no order; an agent leaves out what a newer broker asks. */
export function parseDisplayOrder(line: string): DisplayOrder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Not JSON is an answer here, not a failure.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { type, width, height } = value as Partial<Record<string, unknown>>;
  if (type !== "resize" || typeof width !== "number" || typeof height !== "number") return undefined;
  return { type, ...fitScreen({ width, height }) };
}
