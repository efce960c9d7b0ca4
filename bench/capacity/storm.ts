/**
 * Many people who sign in at once, each by a connection of their own, and come again when they are told to wait: a
 * process of its own, so that they take nobody's time but their own. `storm.ts PORT PEOPLE` prints
 * `ended SECONDS BUSY LOST BROKEN`, the last of them tries that had no answer.
 */

import { sleep } from "../../src/lib/wait.ts";
import { basic } from "../../test/support/broker-door.ts";
import { SEED_PASSWORD } from "../../test/support/db-seed.ts";

/** Longer than the broker lets anybody wait. */
const ANSWER_MS = 180_000;
const AGAIN_MS = 2_000;
const MOST_TRIES = 60;

const [port = 0, people = 0] = process.argv.slice(2).map(Number);
const startMs = performance.now();
const count = { busy: 0, lost: 0, broken: 0 };
await Promise.all(Array.from({ length: people }, (_none, index) => signInAtLast(`person${index + 1}`)));
console.log(`ended ${(performance.now() - startMs) / 1000} ${count.busy} ${count.lost} ${count.broken}`);
process.exit(0);

async function signInAtLast(login: string): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const status = await signIn(login);
    if (status === 200) return;
    if (status === 0) count.broken++;
    else count.busy++;
    await sleep(AGAIN_MS * (0.5 + Math.random()));
  }
  count.lost++;
}

/** The status of the answer; 0 without one. */
async function signIn(login: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const timer = setTimeout(() => resolve(0), ANSWER_MS);
  let received = "";
  const socket = await Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port,
    data: undefined,
    tls: { rejectUnauthorized: false },
    socket: {
      handshake: (socket) => {
        const agent = "User-Agent: QVD/3.1 libcurl/7.88.1";
        socket.write(`GET /qvd/list_of_vm? HTTP/1.1\r\n${agent}\r\n${basic(login, SEED_PASSWORD)}\r\n\r\n`);
      },
      data: (_socket, chunk) => {
        received += chunk.toString("latin1");
        // Who waits is told so in between, by a 102.
        const status = /HTTP\/1\.1 (?!102)(\d{3})/.exec(received)?.[1];
        if (status !== undefined) resolve(Number(status));
      },
      close: () => resolve(0),
      error: () => resolve(0),
    },
  }).catch(() => undefined);
  if (socket === undefined) resolve(0);
  const status = await promise;
  clearTimeout(timer);
  socket?.end();
  return status;
}
