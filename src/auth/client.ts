/**
 * The asking side of the auth socket, for broker and admin. One connection, opened when first needed and
 * again after it was lost; while `qvd auth run` restarts, questions are answered `unavailable` at once.
 */

import { z } from "zod";
import { LineSplitter } from "../lib/lines.ts";
import type { Log } from "../lib/log.ts";
import { AuthAnswer, AuthQuestion, MOST_AUTH_LINE_BYTES } from "../wire/auth/messages.ts";
import { AuthReply, AuthRequest } from "../wire/auth/requests.ts";

export type AuthClient = {
  /** Never rejects: what goes wrong is an answer `unavailable` with a text for the person. */
  verify(question: Omit<AuthQuestion, "id">, signal: AbortSignal): Promise<AuthAnswer>;
  /** Never rejects either. */
  ask(request: AsAsked<AuthRequest>, signal: AbortSignal): Promise<AuthReply>;
  close(): void;
};

export type AuthClientDeps = {
  readonly path: string;
  readonly log: Log;
  /** How long an answer may take, throttling included. */
  readonly timeoutMs?: number;
};

/** Without the id that the client gives it. */
export type AsAsked<Request> = Request extends unknown ? Omit<Request, "id"> : never;

type Settle = (answer: unknown) => void;
type Away = { readonly id: number; readonly outcome: "unavailable"; readonly text: string };
type Exchange<Answer> = {
  readonly schema: z.ZodType<Answer>;
  readonly asked: { readonly schema: z.ZodType; readonly value: object };
  /** For what the server could not read. */
  readonly refused: (id: number) => Answer;
};
const Numbered = z.looseObject({ id: z.number() });
const AWAY = "Passwords can't be verified at the moment: qvd auth run does not answer.";

export function createAuthClient(deps: AuthClientDeps): AuthClient {
  const pending = new Map<number, Settle>();
  let lastId = 0;
  let connecting: Promise<Bun.Socket<undefined>> | undefined;
  const lose = () => {
    connecting = undefined;
    for (const [id, settle] of pending) settle({ id, outcome: "unavailable", text: AWAY });
  };
  const connected = () => {
    connecting ??= connect(deps, pending, lose);
    return connecting;
  };
  const exchange = async <Answer>(
    { schema, asked, refused }: Exchange<Answer>,
    signal: AbortSignal,
  ): Promise<Answer | Away> => {
    const id = ++lastId;
    const away: Away = { id, outcome: "unavailable", text: AWAY };
    // One that it can't read would make the server end the connection, and with it everybody's questions.
    if (!asked.schema.safeParse({ ...asked.value, id }).success) return refused(id);
    const answered = Promise.withResolvers<unknown>();
    const giveUp = () => answered.resolve(away);
    pending.set(id, answered.resolve);
    const timer = setTimeout(giveUp, deps.timeoutMs ?? 30_000);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const socket = await connected();
      // A line is at most a few kB and answers keep pace, so a short write means that the peer hangs.
      const line = Buffer.from(`${JSON.stringify({ ...asked.value, id })}\n`);
      if (socket.write(line) !== line.length) socket.end();
      const answer = schema.safeParse(await answered.promise);
      if (answer.success) return answer.data;
      deps.log.error("auth-answer-unreadable", { error: answer.error });
      return away;
    } catch (error) {
      connecting = undefined;
      deps.log.warn("auth-not-reached", { path: deps.path, error });
      return away;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      pending.delete(id);
    }
  };
  const refused = (id: number) => ({ id, outcome: "denied" }) as const;
  return {
    verify: (value, signal) =>
      exchange({ schema: AuthAnswer, asked: { schema: AuthQuestion, value }, refused }, signal),
    ask: (value, signal) =>
      exchange({ schema: AuthReply, asked: { schema: AuthRequest, value }, refused }, signal),
    close() {
      connecting
        ?.then((socket) => socket.end())
        .catch(() => {
          // It never was open.
        });
    },
  };
}

function connect(
  deps: AuthClientDeps,
  pending: ReadonlyMap<number, Settle>,
  lose: () => void,
): Promise<Bun.Socket<undefined>> {
  const lines = new LineSplitter(MOST_AUTH_LINE_BYTES);
  return Bun.connect<undefined>({
    unix: deps.path,
    data: undefined,
    socket: {
      data(socket, chunk) {
        for (const line of lines.push(chunk)) {
          const answer = Numbered.safeParse(parseJson(line));
          if (answer.success) pending.get(answer.data.id)?.(answer.data);
          else {
            deps.log.error("auth-answer-unreadable", { error: answer.error });
            socket.end();
          }
        }
      },
      close: lose,
      error(_socket, error) {
        deps.log.warn("auth-connection-failed", { error });
      },
    },
  });
}

function parseJson(line: string | null): unknown {
  try {
    return line === null ? null : JSON.parse(line);
  } catch {
    // Not JSON, so not an answer either.
    return null;
  }
}
