/** Visits of the QVD port by the thousand: TLS, a sign-in, the list of desktops, goodbye. */

import { basic, request } from "./broker-door.ts";

class Visit {
  readonly over = Promise.withResolvers<string>();
  text = "";
}

const LIST = Buffer.from(request(["GET /qvd/list_of_vm HTTP/1.1", basic("alice")]));
const PATIENCE_MS = 15_000;

const HANDLERS: Bun.SocketHandler<Visit> = {
  handshake: (socket) => {
    socket.write(LIST);
  },
  data: (socket, chunk) => {
    socket.data.text += chunk.toString("latin1");
    // Head and body come in records of their own.
    const [, status] = /^HTTP\/1.1 (\d+) .*\r\n\r\n./s.exec(socket.data.text) ?? [];
    if (status === undefined) return;
    socket.data.over.resolve(status);
    socket.end();
  },
  close: (socket) => socket.data.over.resolve(`closed after ${JSON.stringify(socket.data.text)}`),
  error: (socket, error) => socket.data.over.resolve(`error ${error.message}`),
  connectError: (socket, error) => socket.data.over.resolve(`not connected: ${error.message}`),
};

/** The status of the answer, or what happened instead. Never rejects. */
export async function visitList(port: number): Promise<string> {
  const data = new Visit();
  const timer = setTimeout(() => data.over.resolve("no answer in time"), PATIENCE_MS);
  Bun.connect<Visit>({
    ...{ hostname: "127.0.0.1", port, data, socket: HANDLERS },
    tls: { rejectUnauthorized: false },
  }).catch((error: unknown) => data.over.resolve(`not connected: ${String(error)}`));
  return await data.over.promise.finally(() => clearTimeout(timer));
}

export type Visits = { readonly count: number; readonly failures: Readonly<Record<string, number>> };

/** Until `isEnough`, so many at a time. */
export async function visitMany(
  port: number,
  options: { readonly atATime: number; readonly isEnough: (count: number) => boolean },
): Promise<Visits> {
  const failures: Record<string, number> = {};
  let count = 0;
  const one = async () => {
    while (!options.isEnough(count)) {
      count++;
      const outcome = await visitList(port);
      if (outcome !== "200") failures[outcome] = (failures[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: options.atATime }, one));
  return { count, failures };
}
