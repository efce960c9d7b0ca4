/** Words before a program's own, so that it starts as that account with the account's groups and none of our rights. */
export function droppedTo(account: { readonly uid: number; readonly gid: number }): readonly string[] {
  return [
    "/usr/bin/setpriv",
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--init-groups",
    "--inh-caps=-all",
    "--bounding-set=-all",
    "--no-new-privs",
    "--",
  ];
}
