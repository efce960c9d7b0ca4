/** A part of a page that asks for itself again when something changed, keeping focus and what was ticked. */

import type { PropsWithChildren } from "hono/jsx";
import { LIVE_EVENT, LIVE_ID } from "../../ui/ids.ts";

export function LiveRegion(
  props: PropsWithChildren<{ readonly id: string; readonly path: string; readonly class?: string }>,
) {
  return (
    <div
      id={props.id}
      class={props.class}
      hx-get={props.path}
      hx-trigger={`${LIVE_EVENT} from:#${LIVE_ID}`}
      hx-swap="outerMorph"
    >
      {props.children}
    </div>
  );
}
