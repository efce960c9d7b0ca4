/**
 * The auth sockets: JSON lines in, JSON lines out. Who may ask is decided by the folder that a socket lies
 * in; there is one socket for each process that may. A connection that sends what isn't a question is ended.
 */

import { chmodSync, rmSync } from "node:fs";
import { LineSplitter } from "../lib/lines.ts";
import type { Log } from "../lib/log.ts";
import { type AuthAnswer, AuthQuestion, MOST_AUTH_LINE_BYTES } from "../wire/auth/messages.ts";

/** Questions of one connection that may be open at a time; the asker waits for answers, so more is misuse. */
const MOST_OPEN = 512;

export type AuthServerDeps = {
  readonly path: string;
  readonly answer: (question: AuthQuestion, signal: AbortSignal) => Promise<AuthAnswer>;
  readonly log: Log;
};

type Asker = {
  readonly lines: LineSplitter;
  readonly gone: AbortController;
  open: number;
  /** What the socket didn't take yet. */
  unsent: Uint8Array;
};

/** Listens until `stop`. A socket file left by an earlier process is replaced. */
export function serveAuth(deps: AuthServerDeps): { stop(): void } {
  rmSync(deps.path, { force: true });
  const server = Bun.listen<Asker>({
    unix: deps.path,
    socket: {
      open(socket) {
        socket.data = {
          lines: new LineSplitter(MOST_AUTH_LINE_BYTES),
          gone: new AbortController(),
          open: 0,
          unsent: new Uint8Array(),
        };
      },
      data(socket, chunk) {
        for (const line of socket.data.lines.push(chunk)) receive(deps, socket, line);
      },
      drain: flush,
      close(socket) {
        socket.data.gone.abort();
      },
      error(_socket, error) {
        deps.log.warn("auth-socket-failed", { error });
      },
    },
  });
  chmodSync(deps.path, 0o660);
  return {
    stop() {
      server.stop(true);
      rmSync(deps.path, { force: true });
    },
  };
}

function receive(deps: AuthServerDeps, socket: Bun.Socket<Asker>, line: string | null): void {
  const question = AuthQuestion.safeParse(parseJson(line));
  const asker = socket.data;
  if (!question.success || asker.open >= MOST_OPEN) {
    deps.log.warn("auth-asker-refused", {
      reason: question.success ? "too many questions" : "not a question",
    });
    socket.end();
    return;
  }
  asker.open++;
  deps
    .answer(question.data, asker.gone.signal)
    .then((answer) => {
      asker.unsent = Buffer.concat([asker.unsent, Buffer.from(`${JSON.stringify(answer)}\n`)]);
      if (!asker.gone.signal.aborted) flush(socket);
    })
    .catch((error: unknown) => {
      deps.log.error("auth-answer-failed", { error });
      socket.end();
    })
    .finally(() => {
      asker.open--;
    });
}

function flush(socket: Bun.Socket<Asker>): void {
  const { unsent } = socket.data;
  if (unsent.length === 0) return;
  // Bytes, as a write may end within a character.
  socket.data.unsent = unsent.subarray(Math.max(0, socket.write(unsent)));
}

function parseJson(line: string | null): unknown {
  try {
    return line === null ? null : JSON.parse(line);
  } catch {
    // Not JSON, so not a question either.
    return null;
  }
}
