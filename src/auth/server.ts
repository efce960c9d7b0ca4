/**
 * The auth sockets: JSON lines in, JSON lines out. Who may ask is decided by the folder that a socket lies
 * in; there is one socket for each process that may. A connection that sends what isn't a question is ended.
 */

import { chmodSync } from "node:fs";
import { z } from "zod";
import { type LineConnection, listenLines } from "../lib/line-socket.ts";
import type { Log } from "../lib/log.ts";
import {
  type AuthAnswer,
  AuthLeave,
  type AuthPlace,
  AuthQuestion,
  MOST_AUTH_LINE_BYTES,
} from "../wire/auth/messages.ts";
import { type AuthReply, AuthRequest } from "../wire/auth/requests.ts";

/** Questions of all connections that may be open at a time: a worker has as many people at once at most. More are put off. */
const MOST_OPEN = 10_000;
const PUT_OFF = {
  outcome: "busy",
  text: "Too many people sign in at the moment. Retry in a minute.",
  retryMs: 60_000,
} as const;
/** Each worker of a process that may ask has one. */
const MOST_CONNECTIONS = 256;

export type AuthServerDeps = {
  readonly path: string;
  readonly answer: (
    question: AuthQuestion | AuthRequest,
    asker: AskerOfOne,
  ) => Promise<AuthAnswer | AuthReply>;
  /** False for what this socket's process may not ask; it is denied. */
  readonly isAllowed?: (question: AuthQuestion | AuthRequest) => boolean;
  readonly log: Log;
};

export type AskerOfOne = {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly onPlace?: ((place: Pick<AuthPlace, "number" | "waitMs">) => void) | undefined;
};

/** `open`: its questions by their numbers, until they are answered. */
type Asker = {
  readonly connection: LineConnection;
  readonly open: Map<number, AbortController>;
  /** To be told in one write: there may be thousands at a time. */
  places: AuthPlace[];
};

const Asked = z.union([AuthQuestion, AuthRequest, AuthLeave]);

/** Listens until `stop`. A socket file left by an earlier process is replaced. */
export function serveAuth(deps: AuthServerDeps): { stop(): void } {
  const askers = new Map<LineConnection, Asker>();
  const isFull = () => [...askers.values()].reduce((sum, { open }) => sum + open.size, 0) >= MOST_OPEN;
  const server = listenLines(deps.path, {
    mostLineBytes: MOST_AUTH_LINE_BYTES,
    mostConnections: MOST_CONNECTIONS,
    onOpen: (connection) => {
      askers.set(connection, { connection, open: new Map(), places: [] });
    },
    onLine: (connection, line) => {
      const asker = askers.get(connection);
      if (asker !== undefined) receive({ ...deps, isFull }, asker, line);
    },
    onLongLine: (connection) => refuse(deps, connection, "a line over the bound"),
    onClose: (connection) => {
      for (const left of askers.get(connection)?.open.values() ?? []) left.abort();
      askers.delete(connection);
    },
  });
  chmodSync(deps.path, 0o660);
  return server;
}

function receive(
  deps: AuthServerDeps & { readonly isFull: () => boolean },
  asker: Asker,
  line: string,
): void {
  const { connection, open } = asker;
  const parsed = Asked.safeParse(parseJson(line));
  if (!parsed.success) return void refuse(deps, connection, "not a question");
  const { data: asked } = parsed;
  const { id } = asked;
  if (asked.kind === "leave") return void open.get(id)?.abort();
  if (open.has(id)) return void refuse(deps, connection, "a number that is in use");
  const send = (answer: object) => connection.send(JSON.stringify(answer));
  if (deps.isAllowed?.(asked) === false) {
    deps.log.warn("auth-request-refused", { kind: asked.kind, path: deps.path });
    return void send({ id, outcome: "denied" });
  }
  if (deps.isFull()) return void send({ id, ...PUT_OFF });
  const left = new AbortController();
  open.set(id, left);
  const tellsPlace = "tellsPlace" in asked && asked.tellsPlace === true;
  const onPlace: AskerOfOne["onPlace"] = ({ number, waitMs }) =>
    tellPlace(asker, { id, outcome: "waiting", number, waitMs: Math.round(waitMs) });
  deps
    .answer(asked, { signal: left.signal, onPlace: tellsPlace ? onPlace : undefined })
    .then((answer) => {
      if (!left.signal.aborted) send(answer);
    })
    .catch((error: unknown) => {
      deps.log.error("auth-answer-failed", { error });
      connection.close();
    })
    .finally(() => open.delete(id));
}

function tellPlace(asker: Asker, place: AuthPlace): void {
  if (asker.places.push(place) > 1) return;
  setImmediate(() => {
    // Who was answered meanwhile has no place any more.
    const told = asker.places.filter(({ id }) => asker.open.has(id)).map((one) => JSON.stringify(one));
    asker.places = [];
    if (told.length > 0) asker.connection.send(told.join("\n"));
  });
}

function refuse({ log }: AuthServerDeps, connection: LineConnection, reason: string): void {
  log.warn("auth-asker-refused", { reason });
  connection.close();
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Not JSON, so not a question either.
    return undefined;
  }
}
