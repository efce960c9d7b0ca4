/** What the pages and the API use of the outside; `runAdmin` wires the real ones, tests their own. */

import type { AuthClient } from "../auth/client.ts";
import type { Db } from "../db/client.ts";
import type { VmId } from "../domain/ids.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { SettingDeps } from "../service/setting/set.ts";
import type { WakeTopic } from "../wire/wake/messages.ts";
import type { Live } from "./live.ts";

export type AdminDeps = {
  readonly db: Db;
  readonly auth: Pick<AuthClient, "verify" | "ask">;
  /** Called after a committed change, so that nodes look at once. */
  readonly wake: (topic: WakeTopic, vmId?: VmId) => void;
  readonly live: Live;
  /** For auth alone. */
  readonly sealSecret: SettingDeps["sealSecret"];
  readonly hashPassword: (password: string) => Promise<string>;
  /** Unguessable, of at least 256 bits. */
  readonly randomToken: () => string;
  /** Where uploads are laid down for the node. */
  readonly incomingFolder: string;
  /** Bytes that an upload must leave free on its file system. */
  readonly leastFreeBytes: number;
  readonly networkRange: string;
  /** Where browsers reach the QVD port; left out: the WAT's own host, with the port that clients are given. */
  readonly portal?: { readonly address: string; readonly port: number };
  /** PEM file of the site's authority. */
  readonly caCertificate?: string;
  readonly clock: Clock;
  readonly log: Log;
};
