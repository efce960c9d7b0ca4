/**
 * Wakes of this box: one unix socket where brokers and admin tell that they changed something and hear that
 * others did, bridged to PostgreSQL's NOTIFY for other boxes. Notices only wake; nothing is lost when one is.
 *
 *     broker, admin ──► wake socket ──► the loop, the other clients, NOTIFY (at once, then ≤ 10/s)
 *     NOTIFY of another box ──► the loop, all clients
 *
 * Wakes are counted because a NOTIFY in each commit costs a busy site 98 % of its transactions.
 */

import { chmodSync, chownSync } from "node:fs";
import { type LineConnection, listenLines } from "../lib/line-socket.ts";
import { formatWake, MOST_WAKE_BYTES, parseWake, type TellWake, type Wake } from "../wire/wake/messages.ts";
import { gatherWakes } from "./gather-wakes.ts";

export type NoticesOptions = {
  readonly path: string;
  /** Marks our own notices, which come back to us. */
  readonly origin: string;
  /** Group whose members may connect; undefined leaves the socket to its owner. */
  readonly gid: number | undefined;
  readonly onWake: (wake: Wake) => void;
  /** Sends one notice to the other boxes; its failure is of no consequence. */
  readonly notify: (payload: string) => void;
  /** Wakes that one notice names; more become one for each topic. */
  readonly mostWakes: () => number;
  /** A wake for other boxes costs a row of each then: what nobody waits for is not sent. */
  readonly isPolled: () => boolean;
};

export type Notices = {
  /** Tells the other processes of this box and the other boxes. */
  readonly tell: TellWake;
  /** A notice of another box has come. */
  hear(payload: string): void;
  stop(): void;
};

const MOST_CLIENTS = 256;

export function createNotices(options: NoticesOptions): Notices {
  const clients = new Set<LineConnection>();
  const outside = gatherWakes(
    (payload) => options.notify(`${options.origin}\n${payload}`),
    options.mostWakes,
  );
  const waiting = new Map<string, LineConnection | undefined>();
  const flush = () => {
    for (const client of clients) {
      const lines = [...waiting].filter(([, from]) => from !== client).map(([line]) => line);
      if (lines.length > 0) client.send(lines.join("\n"));
    }
    waiting.clear();
  };
  // What is told in one turn, such as of all desktops of a report, goes out together: each sending wakes a process.
  const broadcast = (wake: Wake, from?: LineConnection) => {
    const line = formatWake(wake);
    if (waiting.size === 0) queueMicrotask(flush);
    // Who told what others tell as well hears it too.
    waiting.set(line, waiting.has(line) && waiting.get(line) !== from ? undefined : from);
  };
  const server = listenLines(options.path, {
    mostLineBytes: MOST_WAKE_BYTES,
    mostConnections: MOST_CLIENTS,
    onOpen: (client) => void clients.add(client),
    onClose: (client) => void clients.delete(client),
    onLine: (client, line) => {
      const wake = parseWake(line);
      if (wake === undefined) return client.close();
      options.onWake(wake);
      broadcast(wake, client);
      outside.add(wake);
    },
  });
  chmodSync(options.path, 0o660);
  if (options.gid !== undefined) chownSync(options.path, 0, options.gid);
  return {
    tell: (wake, reach = "site") => {
      broadcast(wake);
      if (reach === "site" || !options.isPolled()) outside.add(wake);
    },
    hear: (payload) => {
      const [origin, ...lines] = payload.split("\n");
      if (origin === options.origin) return;
      for (const wake of lines.map(parseWake)) {
        if (wake === undefined) continue;
        options.onWake(wake);
        broadcast(wake);
      }
    },
    stop: () => {
      outside.stop();
      server.stop();
    },
  };
}
