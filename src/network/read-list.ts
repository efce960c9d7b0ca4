/** Reads a list of nf_tables' whole: what changes while it is read is read again. */

import { AppError } from "../lib/errors.ts";
import { type Netlink, refuseErrors, type TalkResult } from "./netlink.ts";
import type { NetlinkAnswer, NetlinkRequest } from "./netlink-message.ts";

const ENOENT = 2;
/** Anybody's change of any rule tears a list that is being read. */
const MOST_READS = 20;

/** Undefined where what it belongs to doesn't exist. */
export async function readList(
  netlink: Pick<Netlink, "talk">,
  doing: string,
  request: NetlinkRequest,
): Promise<readonly NetlinkAnswer[] | undefined> {
  for (let tries = 0; tries < MOST_READS; tries++) {
    const result = await netlink.talk({ doing, requests: [request] });
    if (result.errors.includes(ENOENT)) return undefined;
    refuseErrors(doing, result);
    if (!result.isTorn && isOfOneRevision(result)) return result.answers;
  }
  throw new AppError("driver-failed", `${doing}: it changes all the time`);
}

/** nf_tables doesn't mark a torn list of elements. It says in each part of which of its revisions that is (`nfgenmsg`). */
function isOfOneRevision({ answers }: TalkResult): boolean {
  return new Set(answers.map(({ body }) => `${body[2]}.${body[3]}`)).size <= 1;
}
