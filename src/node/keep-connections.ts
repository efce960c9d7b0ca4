/**
 * Has the kernel hand connections that wait for a broker which closes its port to those that go on listening there. It
 * resets them otherwise: 14 of 14,000 visits while brokers were replaced, and none with it. For the network
 * namespace that we run in, which is the brokers'.
 */

import { writeFileSync } from "node:fs";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

/** Since Linux 5.14. */
const MIGRATE = "/proc/sys/net/ipv4/tcp_migrate_req";

/** Does without where it isn't allowed, and says so. */
export function keepConnections(log: Log, path = MIGRATE): boolean {
  try {
    writeFileSync(path, "1");
    return true;
  } catch (error) {
    log.warn("connections-not-kept", {
      reason: describeError(error),
      advice:
        "set net.ipv4.tcp_migrate_req=1 by sysctl: a few new connections are reset when brokers are replaced",
    });
    return false;
  }
}
