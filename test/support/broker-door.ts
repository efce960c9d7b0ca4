/** A broker on a free port, with tables for its database, a password for everybody, and a desktop that echoes. */

import { type BrokerDeps, runBroker } from "../../src/broker/run-broker.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { type PlayedAuth, playAuth } from "./played-auth.ts";
import { QvdClient } from "./qvd-client.ts";
import { TableBrokerStore, type TableSession } from "./table-broker-store.ts";
import { createTlsPair } from "./tls-pair.ts";

export type BrokerDoor = {
  readonly store: TableBrokerStore;
  readonly auth: PlayedAuth;
  readonly port: number;
  /** Questions that auth was asked. */
  readonly asked: string[];
  readonly wakes: (number | undefined)[];
  /** As if another process of the box had woken this one. */
  readonly wake: (vmId?: number) => void;
  readonly open: () => Promise<QvdClient>;
  readonly drain: () => void;
  readonly ended: Promise<void>;
  readonly close: () => Promise<void>;
};

export async function openBrokerDoor(more: Partial<BrokerDeps> = {}): Promise<BrokerDoor> {
  const store = new TableBrokerStore();
  const draining = new AbortController();
  const ending = new AbortController();
  const auth = playAuth();
  const wakes: (number | undefined)[] = [];
  const clients: QvdClient[] = [];
  let onWake: (wake: { topic: string; vmId?: number | undefined }) => void = () => {};
  let port = 0;
  const ended = runBroker({
    listen: { address: "127.0.0.1", port: 0, ...(await createTlsPair()) },
    store,
    auth,
    connectWakes: (listener) => {
      onWake = listener;
      return { wake: (_topic, vmId) => wakes.push(vmId), close: () => {} };
    },
    log: silentLog(),
    signal: draining.signal,
    endNow: ending.signal,
    onReady: (ready) => {
      port = ready;
    },
    ...more,
  });
  return {
    store,
    auth,
    port,
    asked: auth.asked,
    wakes,
    ended,
    wake: (vmId) => onWake({ topic: "vm", vmId }),
    open: async () => {
      const client = await QvdClient.open(port);
      clients.push(client);
      return client;
    },
    drain: () => draining.abort(),
    close: async () => {
      for (const client of clients) client.terminate();
      draining.abort();
      ending.abort();
      await ended;
    },
  };
}

export type EchoDesktop = {
  readonly port: number;
  readonly connections: Bun.Socket<undefined>[];
  receivedBytes: number;
  hasEnded: boolean;
  closedCount: number;
  readonly stop: () => void;
};

/** The NX port of a desktop: says nothing until spoken to, then sends back what comes unless `isSilent`. */
export function openEchoDesktop(isSilent = false): EchoDesktop {
  const connections: Bun.Socket<undefined>[] = [];
  const server = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open: (socket) => void connections.push(socket),
      data: (socket, chunk) => {
        desktop.receivedBytes += chunk.length;
        if (!isSilent) socket.write(chunk);
      },
      end: (socket) => {
        desktop.hasEnded = true;
        if (!isSilent) socket.end();
      },
      close: () => {
        desktop.closedCount++;
      },
      error: () => {},
    },
  });
  const desktop: EchoDesktop = {
    port: server.port,
    connections,
    receivedBytes: 0,
    hasEnded: false,
    closedCount: 0,
    stop: () => server.stop(true),
  };
  return desktop;
}

/** Reports a session as its node would: prepared, and listening at `port`. */
export function reportListening(store: TableBrokerStore, session: TableSession, port: number): void {
  store.append(session.vmId, "session-preparing");
  store.append(session.vmId, "session-listening");
  session.state = "listening";
  session.address = "127.0.0.1";
  session.port = port;
}

export const basic = (login: string, password = "secret") =>
  `Authorization: Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;

/** A request as the real clients send it: Perl with CRLF, Qt and C with LF. */
export function request(lines: readonly string[], eol = "\r\n"): string {
  return lines.join(eol) + eol + eol;
}

export function connectRequest(id: number | string, options: { eol?: string; login?: string } = {}): string {
  return request(
    [
      `GET /qvd/connect_to_vm?id=${id}&qvd.client.os=linux&qvd.client.link=adsl&qvd.client.keyboard=pc105/us&qvd.client.geometry=800x600&qvd.client.fullscreen= HTTP/1.1`,
      basic(options.login ?? "alice"),
      "Connection: Upgrade",
      "Upgrade: QVD/1.0",
    ],
    options.eol,
  );
}

/** Waits for `condition` or throws `what`. */
export async function until(what: string, condition: () => boolean, timeoutMs = 15_000): Promise<void> {
  if ((await waitFor(condition, { timeoutMs, everyMs: 2 })) === undefined)
    throw new Error(`not in time: ${what}`);
}
