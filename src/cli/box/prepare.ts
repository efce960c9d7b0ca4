/** Puts a box's folders in place with their owners and modes, and its secrets into them. May be called at each start. */

import { chmod, chown, mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import type { Layout } from "../../domain/node/layout.ts";
import { dnsmasqFiles } from "../../network/dnsmasq-command.ts";
import { readAccount, readGroupId, SHARED_GROUP, TLS_GROUP } from "../accounts.ts";
import { ensureSettingsKey } from "./settings-key.ts";
import { ensureTls } from "./tls.ts";

export type FolderSpec = {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
};

type Owners = {
  readonly db: { readonly uid: number; readonly gid: number };
  readonly auth: { readonly uid: number };
  readonly admin: { readonly uid: number; readonly gid: number };
  readonly broker: { readonly uid: number; readonly gid: number };
  readonly net: { readonly uid: number; readonly gid: number };
  readonly sharedGid: number;
};

export async function prepareBox(layout: Layout): Promise<void> {
  const owners = {
    db: readAccount("qvd-db"),
    auth: readAccount("qvd-auth"),
    admin: readAccount("qvd-admin"),
    broker: readAccount("qvd-broker"),
    net: readAccount("qvd-net"),
    sharedGid: readGroupId(SHARED_GROUP),
  };
  for (const folder of listFolders(layout, owners)) {
    await mkdir(folder.path, { recursive: true });
    await chown(folder.path, folder.uid, folder.gid);
    await chmod(folder.path, folder.mode);
  }
  await ensureSettingsKey(layout, owners.auth.uid);
  await ensureTls({ layout, hostName: hostname(), keyGid: readGroupId(TLS_GROUP) });
}

/**
 * Parents come first. Folders that desktops' ids or our accounts pass through can be passed and not listed;
 * a socket's folder decides who may connect to it.
 */
export function listFolders(layout: Layout, owners: Owners): readonly FolderSpec[] {
  const root = { uid: 0, gid: 0 };
  const dnsmasq = dnsmasqFiles(layout.runFolder);
  return [
    { path: layout.stateFolder, mode: 0o755, ...root },
    { path: layout.runFolder, mode: 0o755, ...root },
    { path: layout.secretsFolder, mode: 0o711, ...root },
    { path: layout.databaseFolder, mode: 0o700, ...owners.db },
    { path: layout.databaseSocketFolder, mode: 0o750, uid: owners.db.uid, gid: owners.sharedGid },
    { path: layout.imagesFolder, mode: 0o711, ...root },
    { path: layout.incomingFolder, mode: 0o700, ...owners.admin },
    { path: layout.basesFolder, mode: 0o700, ...root },
    { path: layout.vmsFolder, mode: 0o711, ...root },
    { path: layout.homesFolder, mode: 0o700, ...root },
    { path: layout.logsFolder, mode: 0o750, ...root },
    // The set-group bit gives the socket to the group of the one account that may ask there.
    {
      path: dirname(layout.authSocketForBroker),
      mode: 0o2750,
      uid: owners.auth.uid,
      gid: owners.broker.gid,
    },
    { path: dirname(layout.authSocketForAdmin), mode: 0o2750, uid: owners.auth.uid, gid: owners.admin.gid },
    { path: layout.brokersFolder, mode: 0o755, uid: owners.broker.uid, gid: owners.broker.gid },
    { path: dirname(layout.wakeSocket), mode: 0o750, uid: 0, gid: owners.sharedGid },
    { path: dirname(layout.consoleSocket), mode: 0o2750, uid: 0, gid: owners.broker.gid },
    { path: dnsmasq.folder, mode: 0o755, ...root },
    { path: dnsmasq.hostsFolder, mode: 0o755, ...root },
    { path: dnsmasq.optionsFolder, mode: 0o755, ...root },
    { path: dirname(dnsmasq.pidFile), mode: 0o755, ...owners.net },
  ];
}
