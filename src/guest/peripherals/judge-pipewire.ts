/**
 * What the programs that are there tell of a PipeWire without a question to it. Its PulseAudio side may answer no more, and
 * not even refuse, once what is behind it was killed: who asks then waits for libpulse's half a minute.
 */

/** In the order of their end. */
export const PIPEWIRE_PROGRAMS = ["pipewire-pulse", "wireplumber", "pipewire"] as const;

export type PipewirePart = { readonly name: string; readonly ageMs: number };

/** One that is `starting` may lack what the session starts next; one that is `broken` will not mend itself. */
export type PipewireState = "absent" | "starting" | "whole" | "broken";

/** `startMs` is how long a start may take from one program to the next. */
export function judgePipewire(parts: readonly PipewirePart[], startMs: number): PipewireState {
  if (parts.length === 0) return "absent";
  if (PIPEWIRE_PROGRAMS.every((name) => parts.some((part) => part.name === name))) return "whole";
  return parts.some(({ ageMs }) => ageMs < startMs) ? "starting" : "broken";
}

/** Whether a question is worth its time: not to PipeWire's PulseAudio side alone. `names` are the user's programs. */
export function mayAnswer(names: ReadonlySet<string>, hasSessionManager: boolean): boolean {
  if (!names.has("pipewire-pulse") || names.has("pulseaudio")) return true;
  return names.has("pipewire") && (!hasSessionManager || names.has("wireplumber"));
}
