/** What the page of a desktop and the gateway say to each other: texts on the WebSocket whose binary frames are RFB. */

import {
  type DisplayNews,
  type DisplayOrder,
  MOST_CONTROL_BYTES,
  parseDisplayOrder,
} from "../../wire/display/control.ts";
import type { SessionEnd } from "../store.ts";

export type ToPage =
  | DisplayNews
  /** How the start goes, for the person. */
  | { readonly type: "progress"; readonly text: string }
  /** RFB follows. */
  | { readonly type: "ready" }
  /** It won't come; nothing follows. */
  | { readonly type: "refused"; readonly text: string }
  /** It is over; nothing follows. */
  | { readonly type: "ended"; readonly cause: SessionEnd["cause"] };

/** Undefined when the page says nothing that is known here. */
export function parseFromPage(text: string): DisplayOrder | undefined {
  return text.length > MOST_CONTROL_BYTES ? undefined : parseDisplayOrder(text);
}
