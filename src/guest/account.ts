/**
 * Decides how the account of the desktop's person comes to be: pure, from the texts of /etc/passwd and
 * /etc/group and from what lies at the home's place. The image is fresh at each boot while the home stays, so
 * the usual case is a new account over an old home. Nothing that was there before is ever changed or removed.
 */

import type { GuestAccount, GuestFault } from "../wire/guest/messages.ts";

/** What lies at /home/<login>. */
export type HomeFound =
  | { readonly kind: "missing" }
  | { readonly kind: "folder"; readonly uid: number }
  | { readonly kind: "other" };

export type AccountPlan =
  | { readonly outcome: "refused"; readonly fault: GuestFault; readonly text: string }
  | {
      readonly outcome: "accepted";
      readonly home: string;
      readonly gid: number;
      readonly needsGroup: boolean;
      readonly needsUser: boolean;
      readonly needsHome: boolean;
    };

/** Below are accounts of the system; 65534 is nobody. */
const LEAST_UID = 1000;
const MOST_UID = 65533;

export type AccountFacts = { readonly passwd: string; readonly group: string; readonly home: HomeFound };

export function planAccount(account: GuestAccount, facts: AccountFacts): AccountPlan {
  const { login, uid } = account;
  if (!/^[a-z_][a-z0-9_.-]{0,31}$/.test(login)) {
    return refuse(
      "the login can't be an account name: it may have a-z 0-9 _ . - and starts with a letter or _",
    );
  }
  if (!Number.isInteger(uid) || uid < LEAST_UID || uid > MOST_UID) {
    return refuse(`uid ${uid} is not one for people (${LEAST_UID} to ${MOST_UID})`);
  }
  const home = `/home/${login}`;
  const users = facts.passwd.split("\n").map((line) => line.split(":"));
  const byName = users.find(([name]) => name === login);
  if (byName !== undefined && (Number(byName[2]) !== uid || byName[5] !== home)) {
    return refuse(
      `the image has an account ${login} of its own, with uid ${byName[2]} and home ${byName[5]}`,
    );
  }
  const byUid = users.find(
    ([name, , id]) => name !== login && name !== "" && id !== undefined && Number(id) === uid,
  );
  if (byUid !== undefined) return refuse(`uid ${uid} belongs to account ${byUid[0]} of the image`);
  const groups = facts.group.split("\n").map((line) => line.split(":"));
  const groupByName = groups.find(([name]) => name === login);
  if (byName === undefined && groupByName !== undefined && Number(groupByName[2]) !== uid) {
    return refuse(`the image has a group ${login} of its own`);
  }
  const groupById = groups.find(([name, , id]) => name !== login && id !== undefined && Number(id) === uid);
  if (byName === undefined && groupById !== undefined) {
    return refuse(`gid ${uid} belongs to group ${groupById[0]} of the image`);
  }
  if (facts.home.kind === "other") return refuse(`${home} is there but is not a folder`);
  if (facts.home.kind === "folder" && facts.home.uid !== uid) {
    return refuse(`${home} belongs to uid ${facts.home.uid}, not to ${uid}`);
  }
  return {
    outcome: "accepted",
    home,
    gid: byName === undefined ? uid : Number(byName[3]),
    needsGroup: byName === undefined && groupByName === undefined,
    needsUser: byName === undefined,
    needsHome: facts.home.kind === "missing",
  };
}

function refuse(text: string): AccountPlan {
  return { outcome: "refused", fault: "account-refused", text };
}
