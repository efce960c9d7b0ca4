/**
 * Hears the notices of other boxes. What is sent while the connection is away is lost, so after each (re)start
 * of listening `onCatchUp` is called: read then what a notice would have told. It reconnects by itself, at
 * once and then every second; one connection, for the one listener of a box.
 */

import { openClient } from "./client.ts";
import { NOTICE_CHANNEL } from "./notify.ts";
import type { DatabaseAddress } from "./url.ts";

export type ListenOptions = {
  readonly onNotice: (payload: string) => void;
  readonly onCatchUp: () => void;
  /** The first attempt failed; it is repeated until it succeeds. */
  readonly onAway?: (error: unknown) => void;
};

export type Listening = { close(): Promise<void> };

export function listenForNotices(address: DatabaseAddress, options: ListenOptions): Listening {
  const client = openClient(address, { applicationName: "qvd listen", idleTimeoutSeconds: 0 });
  let isClosed = false;
  client
    .listen(
      NOTICE_CHANNEL,
      (payload) => isClosed || options.onNotice(payload),
      () => isClosed || options.onCatchUp(),
    )
    // The driver goes on trying: it listens anew whenever its connection has ended, the first one too.
    .catch((error) => isClosed || options.onAway?.(error));
  return {
    close: async () => {
      isClosed = true;
      await client.end({ timeout: 1 });
    },
  };
}
