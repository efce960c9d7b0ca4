/**
 * How a broker or the admin process is woken, and has others woken, by the node of its box. Connects again by
 * itself; while there is no node, `isConnected` is false and its owner polls. A wake that can't be sent is
 * dropped: every reader also looks on a timer.
 */

import type { VmId } from "../../domain/ids.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { connectLines, type LineConnection } from "../../lib/line-socket.ts";
import type { Log } from "../../lib/log.ts";
import { formatWake, MOST_WAKE_BYTES, parseWake, type Wake, type WakeTopic } from "./messages.ts";

export type WakeClient = {
  wake(topic: WakeTopic, vmId?: VmId): void;
  isConnected(): boolean;
  close(): void;
};

export type WakeClientOptions = {
  readonly path: string;
  /** Also called, without a desktop, after each connection: something may have been missed. */
  readonly onWake: (wake: Wake) => void;
  readonly log: Log;
};

const BACKOFF = { firstMs: 100, mostMs: 2_000 };

export function connectWake(options: WakeClientOptions): WakeClient {
  let connection: LineConnection | undefined;
  let isClosed = false;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const again = () => {
    if (isClosed || timer !== undefined) return;
    tries++;
    timer = setTimeout(
      () => {
        timer = undefined;
        void connect();
      },
      backoffMs(tries, BACKOFF),
    );
  };
  const connect = async () => {
    try {
      const opened = await connectLines(options.path, {
        mostLineBytes: MOST_WAKE_BYTES,
        onLine: (_connection, line) => {
          const wake = parseWake(line);
          if (wake !== undefined) options.onWake(wake);
        },
        onClose: () => {
          connection = undefined;
          again();
        },
      });
      if (isClosed) return opened.close();
      connection = opened;
      if (tries > 0) options.log.info("wake-connected", { tries });
      tries = 0;
      options.onWake({ topic: "vm" });
    } catch (error) {
      if (tries === 0) options.log.warn("wake-not-connected", { path: options.path, error });
      again();
    }
  };
  void connect();

  return {
    wake: (topic, vmId) => connection?.send(formatWake(vmId === undefined ? { topic } : { topic, vmId })),
    isConnected: () => connection !== undefined,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      connection?.close();
    },
  };
}
