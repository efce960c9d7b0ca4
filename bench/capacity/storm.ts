/** Many people who sign in at once, each by a connection of their own, and come again when they are told to wait. */

import { sleep } from "../../src/lib/wait.ts";
import { basic } from "../../test/support/broker-door.ts";
import { SEED_PASSWORD } from "../../test/support/db-seed.ts";
import { QvdClient } from "../../test/support/qvd-client.ts";

export type SignInStorm = {
  readonly seconds: number;
  /** Answers that told somebody to come again. */
  readonly busy: number;
  /** People who never got in. */
  readonly lost: number;
};

const ANSWER_MS = 60_000;
const AGAIN_MS = 2_000;
const MOST_TRIES = 60;

export async function signInAll(port: number, people: number): Promise<SignInStorm> {
  const startMs = performance.now();
  let [busy, lost] = [0, 0];
  const one = async (number: number): Promise<void> => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const status = await signIn(port, `person${number}`).catch(() => 0);
      if (status === 200) return;
      busy++;
      await sleep(AGAIN_MS * (0.5 + Math.random()));
    }
    lost++;
  };
  await Promise.all(Array.from({ length: people }, (_none, index) => one(index + 1)));
  return { seconds: (performance.now() - startMs) / 1000, busy, lost };
}

async function signIn(port: number, login: string): Promise<number> {
  const client = await QvdClient.open(port);
  try {
    client.send(`GET /qvd/list_of_vm? HTTP/1.1\r\n${basic(login, SEED_PASSWORD)}\r\n\r\n`);
    return (await client.answer(ANSWER_MS)).status;
  } finally {
    client.close();
  }
}
