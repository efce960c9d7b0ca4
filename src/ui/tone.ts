/** The five meanings that colour may carry. Text always says the same, so nobody needs to see the colour. */

import type { IconName } from "./icons.tsx";

export type Tone = "good" | "busy" | "warn" | "bad" | "idle";

export const TONE_CLASSES = {
  good: "tone-good",
  busy: "tone-busy",
  warn: "tone-warn",
  bad: "tone-bad",
  idle: "tone-idle",
} as const satisfies Record<Tone, string>;

export const TONE_ICONS = {
  good: "check",
  busy: "info",
  warn: "alert",
  bad: "alert",
  idle: "info",
} as const satisfies Record<Tone, IconName>;
