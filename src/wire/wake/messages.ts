/**
 * What processes of a box tell each other when something has changed: only that it did. Whoever is woken
 * reads again what it needs. One JSON object a line, the same both ways.
 */

import { asId, type VmId } from "../../domain/ids.ts";

export const WAKE_TOPICS = ["vm", "image", "node"] as const;
export type WakeTopic = (typeof WAKE_TOPICS)[number];

/** Without `vmId` it may concern any desktop. */
export type Wake = { readonly topic: WakeTopic; readonly vmId?: VmId };

/** `box`: another box needs to know it for its pages only, not for anything that somebody waits for there. */
export type WakeReach = "box" | "site";
/** `site` where nothing is said. */
export type TellWake = (wake: Wake, reach?: WakeReach) => void;

export const MOST_WAKE_BYTES = 256;

export function formatWake(wake: Wake): string {
  return JSON.stringify(wake);
}

/** Undefined for anything that isn't a wake; an unknown field is left out. */
export function parseWake(line: string): Wake | undefined {
  const value = parseObject(line);
  const topic = WAKE_TOPICS.find((known) => known === value?.topic);
  if (topic === undefined) return undefined;
  const vmId = value?.vmId;
  if (vmId === undefined) return { topic };
  const isId = typeof vmId === "number" && Number.isSafeInteger(vmId) && vmId > 0;
  return isId ? { topic, vmId: asId<VmId>(vmId) } : undefined;
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    // Not JSON: not a wake, and nothing else needs to be known of it.
    return undefined;
  }
}
