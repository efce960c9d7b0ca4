import type { AdministratorActor } from "../access/actor.ts";
import { isOfSite } from "../access/decide-access.ts";
import { hidePaths } from "../access/hide-paths.ts";

/** What the agent says of places inside the desktop: they are of its image, which is its tenant's. */
const FROM_INSIDE: ReadonlySet<string> = new Set(["session-failed", "hook-failed", "channel-failed"]);
/** A hook that isn't the image's. */
const BOX_HOOK = "The box's hook";

/** An event of a desktop's trail as `reader` gets it. */
export function eventTextFor(
  reader: AdministratorActor,
  { code, text }: { readonly code: string; readonly text: string },
): string {
  if (isOfSite(reader)) return text;
  return FROM_INSIDE.has(code) && !text.startsWith(BOX_HOOK) ? text : hidePaths(text);
}
