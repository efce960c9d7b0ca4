/**
 * Lines of text over a unix socket between our own processes on one box. Lines are bounded, and so is what
 * waits for a peer that doesn't read: such a peer is disconnected.
 */

import { rmSync } from "node:fs";
import { LineSplitter } from "./lines.ts";

export type LineConnection = {
  /** Sends one line, without its LF. A peer that has let too much pile up is disconnected instead. */
  send(line: string): void;
  close(): void;
};

export type LineHandlers = {
  readonly mostLineBytes: number;
  readonly onOpen?: (connection: LineConnection) => void;
  readonly onLine: (connection: LineConnection, line: string) => void;
  /** A line over the bound was dropped. */
  readonly onLongLine?: (connection: LineConnection) => void;
  readonly onClose?: (connection: LineConnection) => void;
};

const MOST_UNSENT_BYTES = 1 << 20;

type State = { splitter: LineSplitter; unsent: Uint8Array; connection: LineConnection };

/** Takes the place of whatever socket an earlier process left at `path`; a connection over the bound is closed at once. */
export function listenLines(
  path: string,
  handlers: LineHandlers & { readonly mostConnections: number },
): { stop(): void } {
  rmSync(path, { force: true });
  let open = 0;
  const inner = socketHandlers(handlers);
  const server = Bun.listen<State>({
    unix: path,
    socket: {
      ...inner,
      open: (socket) => {
        open++;
        inner.open(socket);
        if (open > handlers.mostConnections) socket.end();
      },
      close: (socket) => {
        open--;
        inner.close(socket);
      },
    },
  });
  return {
    stop: () => {
      server.stop(true);
      rmSync(path, { force: true });
    },
  };
}

/** Rejects when nobody listens at `path`. */
export async function connectLines(path: string, handlers: LineHandlers): Promise<LineConnection> {
  const socket = await Bun.connect<State>({ unix: path, socket: socketHandlers(handlers) });
  return socket.data.connection;
}

function socketHandlers(handlers: LineHandlers) {
  return {
    open: (socket: Bun.Socket<State>) => {
      socket.data = {
        splitter: new LineSplitter(handlers.mostLineBytes),
        unsent: new Uint8Array(0),
        connection: {
          send: (line) => send(socket, new TextEncoder().encode(`${line}\n`)),
          close: () => socket.end(),
        },
      };
      handlers.onOpen?.(socket.data.connection);
    },
    data: (socket: Bun.Socket<State>, chunk: Uint8Array) => {
      for (const line of socket.data.splitter.push(chunk))
        if (line === null) handlers.onLongLine?.(socket.data.connection);
        else if (line !== "") handlers.onLine(socket.data.connection, line);
    },
    drain: (socket: Bun.Socket<State>) => send(socket, new Uint8Array(0)),
    close: (socket: Bun.Socket<State>) => {
      // A connection that was refused never opened.
      if (socket.data !== undefined) handlers.onClose?.(socket.data.connection);
    },
    error: (socket: Bun.Socket<State>) => void socket.end(),
  };
}

function send(socket: Bun.Socket<State>, bytes: Uint8Array): void {
  const { data } = socket;
  const all = data.unsent.length === 0 ? bytes : Buffer.concat([data.unsent, bytes]);
  const taken = Math.max(0, socket.write(all));
  data.unsent = Uint8Array.from(all.subarray(taken));
  if (data.unsent.length > MOST_UNSENT_BYTES) socket.end();
}
