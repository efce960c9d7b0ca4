/**
 * What broker and agent tell each other about a screen that a browser shows: JSON lines on the channel `control`
 * of the display door. The agent's words come out of a desktop, so the broker reads them as hostile; they end in
 * the page of the desktop's own user.
 */

import type { SoundPolicy } from "./sound.ts";

/** A clipboard of the longest, every letter of it escaped. */
export const MOST_CONTROL_BYTES = 640 * 1024;
/** A longer text stays on its side. */
export const MOST_CLIPBOARD = 100_000;

/** Windows need some room, and may span monitors that stand beside each other. A server has a picture's memory for each viewer. */
export const SCREEN_BOUNDS = {
  least: { width: 320, height: 240 },
  most: { width: 7680, height: 4800 },
  mostPixels: 3840 * 2400,
} as const;
/** What nxagent's RANDR offers. */
export const NX_SCREEN = { width: 1920, height: 1200 } as const;

export type ScreenSize = { readonly width: number; readonly height: number };

/** To the agent. */
export type DisplayOrder =
  | ({ readonly type: "resize" } & ScreenSize)
  /** Whether what is copied in the desktop is to be told; not before the person says so. */
  | { readonly type: "share-clipboard"; readonly isShared: boolean }
  /** What was copied at the person's computer. */
  | { readonly type: "clipboard"; readonly text: string };

/** From the agent. */
export type DisplayNews =
  /** What was copied in the desktop. */
  | { readonly type: "clipboard"; readonly text: string }
  /** What may be heard of the desktop, and what it may hear; before anything else. */
  | ({ readonly type: "sound" } & SoundPolicy);

/** The nearest size that a screen may have, of the largest as which it can be shown. One with too many pixels keeps its shape. */
export function fitScreen(wanted: ScreenSize, most: ScreenSize = SCREEN_BOUNDS.most): ScreenSize {
  const { least, mostPixels } = SCREEN_BOUNDS;
  const clamp = (value: number, from: number, to: number) =>
    Math.min(to, Math.max(from, Math.round(Number.isFinite(value) ? value : from)));
  const width = clamp(wanted.width, least.width, most.width);
  const height = clamp(wanted.height, least.height, most.height);
  const scale = Math.min(1, Math.sqrt(mostPixels / (width * height)));
  return { width: Math.floor(width * scale), height: Math.floor(height * scale) };
}

/** `WxH` as clients give it; undefined when it isn't that. */
export function parseScreenSize(geometry: string): ScreenSize | undefined {
  const found = /^([1-9][0-9]{1,4})x([1-9][0-9]{1,4})$/.exec(geometry);
  return found === null ? undefined : { width: Number(found[1]), height: Number(found[2]) };
}

export function formatDisplayLine(message: DisplayOrder | DisplayNews): string {
  return `${JSON.stringify(message)}\n`;
}

/** Undefined when the line is no order; an agent leaves out what a newer broker asks. */
export function parseDisplayOrder(line: string): DisplayOrder | undefined {
  const { type, width, height, isShared, text } = readObject(line);
  switch (type) {
    case "resize":
      if (typeof width !== "number" || typeof height !== "number") return undefined;
      return { type, ...fitScreen({ width, height }) };
    case "share-clipboard":
      return typeof isShared === "boolean" ? { type, isShared } : undefined;
    case "clipboard":
      return isClipboard(text) ? { type, text } : undefined;
    default:
      return undefined;
  }
}

/** Undefined when the line is no news: it comes out of a desktop, so it may be anything. */
export function parseDisplayNews(line: string): DisplayNews | undefined {
  const { type, text, playback, microphone } = readObject(line);
  if (type === "sound") {
    const isPlayback = playback === "on" || playback === "ask" || playback === "never";
    const isMicrophone = microphone === "ask" || microphone === "never";
    return isPlayback && isMicrophone ? { type, playback, microphone } : undefined;
  }
  return type === "clipboard" && isClipboard(text) ? { type, text } : undefined;
}

function isClipboard(text: unknown): text is string {
  return typeof text === "string" && text.length <= MOST_CLIPBOARD;
}

function readObject(line: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // Not JSON is an answer here, not a failure.
    return {};
  }
}
