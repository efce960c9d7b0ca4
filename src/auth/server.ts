/**
 * The auth sockets: JSON lines in, JSON lines out. Who may ask is decided by the folder that a socket lies
 * in; there is one socket for each process that may. A connection that sends what isn't a question is ended.
 */

import { chmodSync } from "node:fs";
import { z } from "zod";
import { type LineConnection, listenLines } from "../lib/line-socket.ts";
import type { Log } from "../lib/log.ts";
import { type AuthAnswer, AuthQuestion, MOST_AUTH_LINE_BYTES } from "../wire/auth/messages.ts";
import { type AuthReply, AuthRequest } from "../wire/auth/requests.ts";

/** Questions of one connection that may be open at a time; the asker waits for answers, so more is misuse. */
const MOST_OPEN = 512;
/** Each worker of a process that may ask has one. */
const MOST_CONNECTIONS = 256;

export type AuthServerDeps = {
  readonly path: string;
  readonly answer: (
    question: AuthQuestion | AuthRequest,
    signal: AbortSignal,
  ) => Promise<AuthAnswer | AuthReply>;
  /** False for what this socket's process may not ask; it is denied. */
  readonly isAllowed?: (question: AuthQuestion | AuthRequest) => boolean;
  readonly log: Log;
};

type Asker = { readonly connection: LineConnection; readonly gone: AbortController; open: number };

const Asked = z.union([AuthQuestion, AuthRequest]);

/** Listens until `stop`. A socket file left by an earlier process is replaced. */
export function serveAuth(deps: AuthServerDeps): { stop(): void } {
  const askers = new Map<LineConnection, Asker>();
  const server = listenLines(deps.path, {
    mostLineBytes: MOST_AUTH_LINE_BYTES,
    mostConnections: MOST_CONNECTIONS,
    onOpen: (connection) => {
      askers.set(connection, { connection, gone: new AbortController(), open: 0 });
    },
    onLine: (connection, line) => {
      const asker = askers.get(connection);
      if (asker !== undefined) receive(deps, asker, line);
    },
    onLongLine: (connection) => refuse(deps, connection, "a line over the bound"),
    onClose: (connection) => {
      askers.get(connection)?.gone.abort();
      askers.delete(connection);
    },
  });
  chmodSync(deps.path, 0o660);
  return server;
}

function receive(deps: AuthServerDeps, asker: Asker, line: string): void {
  const { connection, gone } = asker;
  const question = Asked.safeParse(parseJson(line));
  if (!question.success) return void refuse(deps, connection, "not a question");
  if (asker.open >= MOST_OPEN) return void refuse(deps, connection, "too many questions");
  if (deps.isAllowed?.(question.data) === false) {
    deps.log.warn("auth-request-refused", { kind: question.data.kind, path: deps.path });
    connection.send(JSON.stringify({ id: question.data.id, outcome: "denied" }));
    return;
  }
  asker.open++;
  deps
    .answer(question.data, gone.signal)
    .then((answer) => {
      if (!gone.signal.aborted) connection.send(JSON.stringify(answer));
    })
    .catch((error: unknown) => {
      deps.log.error("auth-answer-failed", { error });
      connection.close();
    })
    .finally(() => {
      asker.open--;
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
