/** A session whose every byte is known: numbers go to a desktop that sends them back, and are looked at in their order. */

import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { waitFor } from "../../src/lib/wait.ts";
import { basic, connectRequest } from "./broker-door.ts";

export type NumberedSession = {
  /** Ends it, and says what came back. */
  readonly stop: () => Promise<{ readonly sessionBytes: number; readonly sessionFault: string | undefined }>;
};

const EVERY_MS = 2;
const NUMBERS_AT_ONCE = 1_000;

export type NumberedClient = {
  /** The client's own. */
  readonly localAddress?: string;
  readonly vmId?: number;
  readonly login?: string;
  readonly password?: string;
};

/** Resolves when numbers flow. */
export async function watchNumbers(port: number, client: NumberedClient = {}): Promise<NumberedSession> {
  const { localAddress = "127.0.0.1", vmId = 1, login = "alice", password = "secret" } = client;
  const plain = connectPlain({ host: "127.0.0.1", port, localAddress });
  const socket = connectTls({ socket: plain, rejectUnauthorized: false });
  let [head, fault] = ["", undefined as string | undefined];
  let rest = Buffer.alloc(0);
  let [sent, received] = [0, 0];
  const fail = (text: string) => {
    fault ??= text;
  };
  const take = (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    const whole = rest.length - (rest.length % 4);
    for (let at = 0; at < whole; at += 4)
      if (rest.readUInt32LE(at) !== received++) return fail(`number ${received} is another`);
    rest = rest.subarray(whole);
  };
  socket.on("data", (chunk: Buffer) => {
    if (head.includes("X-QVD-Slave-Key")) return take(chunk);
    head += chunk.toString("latin1");
  });
  socket.on("error", (error) => fail(`error: ${error.message}`));
  socket.on("close", () => fail("it was closed"));
  socket.write(connectRequest(vmId).replace(basic("alice"), basic(login, password)));
  const begun = await waitFor(() => head.includes("X-QVD-Slave-Key"), { timeoutMs: 20_000 });
  if (begun === undefined) throw new Error(`no session: ${head} ${fault ?? ""}`);
  const sending = setInterval(() => {
    // As much as comes back, and not all that could be kept.
    if (sent - received > 20 * NUMBERS_AT_ONCE) return;
    const numbers = Uint32Array.from({ length: NUMBERS_AT_ONCE }, () => sent++);
    socket.write(Buffer.from(numbers.buffer));
  }, EVERY_MS);
  return {
    stop: async () => {
      clearInterval(sending);
      const isAll = await waitFor(() => received === sent || fault !== undefined, { timeoutMs: 10_000 });
      if (isAll === undefined) fail(`${sent - received} numbers are missing`);
      const result = { sessionBytes: received * 4, sessionFault: fault };
      socket.destroy();
      return result;
    },
  };
}
