/** Advice as its reader can follow it: what takes somebody else is told as theirs, without a command that would be refused. */

import { ACTIONS } from "../access/action.ts";
import type { AdministratorActor } from "../access/actor.ts";
import { decideAccess, isOfSite } from "../access/decide-access.ts";
import type { FullAdvice } from "./explain-advice.ts";
import type { Advice } from "./explain-facts.ts";

/** `reader` may see the desktop; images and flavours that advice is about are of its tenant. */
export function offerAdvice(all: readonly FullAdvice[], reader: AdministratorActor): readonly Advice[] {
  return all.map(({ text, command, needs }) => {
    const whose = whoseIsIt(needs, reader);
    return whose === undefined ? { text, command } : { text: `${whose} can do this: ${text}`, command: null };
  });
}

/** Undefined: the reader's own. */
function whoseIsIt(needs: FullAdvice["needs"], reader: AdministratorActor): string | undefined {
  if (needs === "boxes" || ACTIONS[needs].scope === "site")
    if (!isOfSite(reader)) return "An administrator of the site";
  if (needs === "boxes" || decideAccess(reader, needs, { tenantId: reader.tenantId }) === "allowed")
    return undefined;
  return `An administrator with the right ${ACTIONS[needs].acl}`;
}
