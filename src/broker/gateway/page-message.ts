/** What the page of a desktop and the gateway say to each other: texts on the WebSocket whose binary frames are RFB. */

import type { OpenVisit } from "../../db/queries/visits.ts";
import { parseId, type VisitId } from "../../domain/ids.ts";
import {
  type DisplayNews,
  type DisplayOrder,
  MOST_CONTROL_BYTES,
  parseDisplayOrder,
} from "../../wire/display/control.ts";
import type { SessionEnd } from "../store.ts";

/** A page can't ask by WebSocket's own ping; whoever has its connection answers. */
export const PAGE_PING = '{"type":"ping"}';
export const PAGE_PONG = '{"type":"pong"}';

export type ToPage =
  | DisplayNews
  /** How the start goes, for the person. */
  | { readonly type: "progress"; readonly text: string }
  /** RFB follows. */
  | { readonly type: "ready" }
  /** Who asks to see the session, and who does; all of them. */
  | { readonly type: "visits"; readonly visits: readonly OpenVisit[] }
  /** Leads one person to the session. */
  | { readonly type: "invitation"; readonly path: string }
  /** What was asked for can't be done; the rest goes on. */
  | { readonly type: "not-done"; readonly text: string }
  /** It won't come; nothing follows. */
  | { readonly type: "refused"; readonly text: string }
  /** It is over; nothing follows. */
  | { readonly type: "ended"; readonly cause: SessionEnd["cause"] };

/** About who else sees the session; the broker's own affair. */
export type SharingOrder =
  | { readonly type: "invite"; readonly mayControl: boolean }
  | { readonly type: "admit-visit"; readonly id: VisitId }
  | { readonly type: "end-visit"; readonly id: VisitId };

/** Undefined when the page says nothing that is known here. */
export function parseFromPage(text: string): DisplayOrder | SharingOrder | undefined {
  if (text.length > MOST_CONTROL_BYTES) return undefined;
  return parseDisplayOrder(text) ?? parseSharingOrder(text);
}

function parseSharingOrder(text: string): SharingOrder | undefined {
  const { type, mayControl, id } = readJsonObject(text);
  if (type === "invite") return { type, mayControl: mayControl === true };
  if (type !== "admit-visit" && type !== "end-visit") return undefined;
  const visitId = parseId<VisitId>(String(id));
  return visitId === undefined ? undefined : { type, id: visitId };
}

function readJsonObject(text: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // Not JSON is an answer here, not a failure.
    return {};
  }
}
