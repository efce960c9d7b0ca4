import type { UserId } from "../ids.ts";

/** Above the ids that images give to accounts of their own. */
const FIRST_UID = 2_000;
const UIDS = 60_000;

/** The uid that a person's account has inside their desktops: the same for life, so that homes stay theirs. */
export function accountUid(userId: UserId): number {
  return FIRST_UID + (userId % UIDS);
}
