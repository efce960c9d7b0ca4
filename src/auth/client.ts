/**
 * The asking side of the auth socket, for broker and admin. One connection, opened when first needed and
 * again after it was lost; while `qvd auth run` restarts, questions are answered `unavailable` at once.
 */

import type { z } from "zod";
import type { Log } from "../lib/log.ts";
import { AuthAnswer, AuthPlace, AuthQuestion } from "../wire/auth/messages.ts";
import { AuthReply, AuthRequest } from "../wire/auth/requests.ts";
import { type AuthLines, connectAuthLines } from "./client-lines.ts";

export type AuthClient = {
  /**
   * Never rejects: what goes wrong is an answer `unavailable` with a text for the person. When the signal aborts, auth
   * is told that nobody waits any more.
   */
  verify(
    question: Omit<AuthQuestion, "id" | "tellsPlace">,
    signal: AbortSignal,
    onPlace?: (place: AuthPlace) => void,
  ): Promise<AuthAnswer>;
  /** Never rejects either. */
  ask(request: AsAsked<AuthRequest>, signal: AbortSignal): Promise<AuthReply>;
  close(): void;
};

export type AuthClientDeps = {
  readonly path: string;
  readonly log: Log;
  /** How long an answer may take, throttling included; what the question says it may wait comes on top. */
  readonly timeoutMs?: number;
};

/** Without the id that the client gives it. */
export type AsAsked<Request> = Request extends unknown ? Omit<Request, "id"> : never;

type Away = { readonly id: number; readonly outcome: "unavailable"; readonly text: string };
type Exchange<Answer> = {
  readonly schema: z.ZodType<Answer>;
  readonly asked: { readonly schema: z.ZodType; readonly value: object };
  /** For what the server could not read. */
  readonly refused: (id: number) => Answer;
  readonly timeoutMs: number;
  readonly onPlace?: ((place: AuthPlace) => void) | undefined;
  /** What is left behind by its asker is no more work for auth. */
  readonly mayLeave?: true;
};

const AWAY = "Passwords can't be verified at the moment: qvd auth run does not answer.";
const TIMEOUT_MS = 30_000;

export function createAuthClient({ path, log, timeoutMs = TIMEOUT_MS }: AuthClientDeps): AuthClient {
  const exchanges = new Exchanges(path, log);
  const refused = (id: number) => ({ id, outcome: "denied" }) as const;
  return {
    verify: (question, signal, onPlace) => {
      const value = onPlace === undefined ? question : { ...question, tellsPlace: true };
      return exchanges.run(
        {
          ...{ schema: AuthAnswer, asked: { schema: AuthQuestion, value }, refused, onPlace },
          ...{ timeoutMs: timeoutMs + (question.mayWaitMs ?? 0), mayLeave: true },
        },
        signal,
      );
    },
    ask: (value, signal) =>
      exchanges.run({ schema: AuthReply, asked: { schema: AuthRequest, value }, refused, timeoutMs }, signal),
    close: () => exchanges.close(),
  };
}

/** What is under way on the one connection. */
class Exchanges {
  readonly #path: string;
  readonly #log: Log;
  readonly #pending = new Map<number, (line: unknown) => void>();
  #lastId = 0;
  #connecting: Promise<AuthLines> | undefined;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  async run<Answer>(of: Exchange<Answer>, signal: AbortSignal): Promise<Answer | Away> {
    const id = ++this.#lastId;
    const away: Away = { id, outcome: "unavailable", text: AWAY };
    // One that it can't read would make the server end the connection, and with it everybody's questions.
    if (!of.asked.schema.safeParse({ ...of.asked.value, id }).success) return of.refused(id);
    const answered = Promise.withResolvers<unknown>();
    let lines: AuthLines | undefined;
    const giveUp = () => {
      if (of.mayLeave === true) lines?.send({ id, kind: "leave" });
      answered.resolve(away);
    };
    this.#pending.set(id, (line) => {
      const place = AuthPlace.safeParse(line);
      if (place.success) of.onPlace?.(place.data);
      else answered.resolve(line);
    });
    const timer = setTimeout(giveUp, of.timeoutMs);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      lines = await this.#connected();
      if (signal.aborted) return away;
      lines.send({ ...of.asked.value, id });
      const answer = of.schema.safeParse(await answered.promise);
      if (answer.success) return answer.data;
      this.#log.error("auth-answer-unreadable", { error: answer.error });
      return away;
    } catch (error) {
      this.#connecting = undefined;
      this.#log.warn("auth-not-reached", { path: this.#path, error });
      return away;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      this.#pending.delete(id);
    }
  }

  close(): void {
    this.#connecting
      ?.then((lines) => lines.close())
      .catch(() => {
        // It never was open.
      });
  }

  #connected(): Promise<AuthLines> {
    this.#connecting ??= connectAuthLines(this.#path, {
      log: this.#log,
      onLine: (id, line) => this.#pending.get(id)?.(line),
      onLost: () => {
        this.#connecting = undefined;
        for (const [id, settle] of this.#pending) settle({ id, outcome: "unavailable", text: AWAY });
      },
    });
    return this.#connecting;
  }
}
