import type { AccountName } from "./accounts.ts";

/** Words before a program's own, so that it starts as `account` with that account's groups and none of our rights. */
export function droppedTo(account: AccountName): readonly string[] {
  return [
    "/usr/bin/setpriv",
    `--reuid=${account}`,
    `--regid=${account}`,
    "--init-groups",
    "--inh-caps=-all",
    "--no-new-privs",
    "--",
  ];
}
