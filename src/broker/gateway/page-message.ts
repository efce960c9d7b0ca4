/** What the page of a desktop and the gateway say to each other: texts on the WebSocket whose binary frames are RFB. */

import { type DisplayOrder, parseDisplayOrder } from "../../wire/display/control.ts";
import type { SessionEnd } from "../store.ts";

export type ToPage =
  /** How the start goes, for the person. */
  | { readonly type: "progress"; readonly text: string }
  /** RFB follows. */
  | { readonly type: "ready" }
  /** It won't come; nothing follows. */
  | { readonly type: "refused"; readonly text: string }
  /** It is over; nothing follows. */
  | { readonly type: "ended"; readonly cause: SessionEnd["cause"] };

/** A longer text is none of ours. */
export const MOST_PAGE_TEXT = 1024;

/** Undefined when the page says nothing that is known here. */
export function parseFromPage(text: string): DisplayOrder | undefined {
  return text.length > MOST_PAGE_TEXT ? undefined : parseDisplayOrder(text);
}
