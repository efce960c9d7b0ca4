/**
 * A look at who answers before anybody types a password for it: that somebody does, that their certificate is
 * believed, and that it is a broker.
 */

import { AppError } from "../lib/errors.ts";
import { sleep } from "../lib/wait.ts";
import type { BrokerAnswer } from "./answer-reader.ts";
import { BrokerConnection, type OpenOptions } from "./broker-connection.ts";

const ALIVE = "I am alive!";
/** A broker says so at once: it asks nobody. */
const ANSWER_MS = 20_000;

export type MeetOptions = OpenOptions & { readonly answerMs?: number };

/** Throws when it can't be reached, isn't believed, or is none. One that takes nobody now says so itself, later. */
export async function meetBroker(options: MeetOptions): Promise<void> {
  const { status, body } = await pingBroker(options);
  if (status === 503 || (status === 200 && body.trim() === ALIVE)) return;
  throw unmet(options, "what answers there is no QVD broker");
}

/** Throws as `meetBroker` does of what doesn't answer at all. */
export async function pingBroker(options: MeetOptions): Promise<BrokerAnswer> {
  const { answerMs = ANSWER_MS, signal } = options;
  const connection = await BrokerConnection.open(options);
  const over = new AbortController();
  try {
    const late = sleep(answerMs, AbortSignal.any([signal, over.signal])).then(() => undefined);
    const answer = await Promise.race([connection.ask("/qvd/ping", {}), late]);
    if (answer !== undefined) return answer;
    signal.throwIfAborted();
    throw unmet(options, `nothing is said there for ${answerMs / 1000} s, so it is no QVD broker`);
  } finally {
    over.abort();
    connection.close();
  }
}

function unmet({ place: { host, port } }: OpenOptions, why: string): AppError {
  const text = `connecting to ${host}:${port} failed: ${why}. Check host and port; brokers usually have 8443`;
  return new AppError("unavailable", text);
}
