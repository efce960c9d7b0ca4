/** The line to `qvd auth run`: JSON objects out, numbered JSON objects in. A thousand people may ask in one moment. */

import { z } from "zod";
import { LineSplitter } from "../lib/lines.ts";
import type { Log } from "../lib/log.ts";
import { MOST_AUTH_LINE_BYTES } from "../wire/auth/messages.ts";

export type AuthLines = {
  send(line: object): void;
  close(): void;
};

export type AuthLinesOptions = {
  readonly log: Log;
  readonly onLine: (id: number, line: unknown) => void;
  readonly onLost: () => void;
};

/** Auth reads all the time: what is more than this is piled up before one that hangs. */
const MOST_UNSENT_BYTES = 4 * 2 ** 20;
const Numbered = z.looseObject({ id: z.number() });

/** Rejects when nobody listens at `path`. */
export async function connectAuthLines(
  path: string,
  { log, onLine, onLost }: AuthLinesOptions,
): Promise<AuthLines> {
  const lines = new LineSplitter(MOST_AUTH_LINE_BYTES);
  let unsent: Uint8Array[] = [];
  let unsentBytes = 0;
  const flush = (socket: Bun.Socket<undefined>) => {
    const all = Buffer.concat(unsent);
    const taken = Math.max(0, socket.write(all));
    unsent = taken < all.length ? [all.subarray(taken)] : [];
    unsentBytes = all.length - taken;
    if (unsentBytes > MOST_UNSENT_BYTES) socket.end();
  };
  const socket = await Bun.connect<undefined>({
    unix: path,
    data: undefined,
    socket: {
      data(from, chunk) {
        for (const line of lines.push(chunk)) {
          const answer = Numbered.safeParse(parseJson(line));
          if (answer.success) onLine(answer.data.id, answer.data);
          else {
            log.error("auth-answer-unreadable", { error: answer.error });
            from.end();
          }
        }
      },
      drain: flush,
      close: onLost,
      error(_socket, error) {
        log.warn("auth-connection-failed", { error });
      },
    },
  });
  return {
    send: (line) => {
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
      unsent.push(bytes);
      unsentBytes += bytes.length;
      // What waits already goes with it when the socket takes bytes again.
      if (unsent.length === 1) flush(socket);
      else if (unsentBytes > MOST_UNSENT_BYTES) socket.end();
    },
    close: () => void socket.end(),
  };
}

function parseJson(line: string | null): unknown {
  try {
    return line === null ? null : JSON.parse(line);
  } catch {
    // Not JSON, so not an answer either.
    return null;
  }
}
