/** A TCP relay that gathers what a client sends for a while and passes it on in one packet; the server's goes at once. */

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export type SlowPackets = { readonly port: number; readonly stop: () => void };

export async function openSlowPackets(serverPort: number, gatherMs: number): Promise<SlowPackets> {
  const sockets: Socket[] = [];
  const listener = createServer((client) => {
    const server = connect({ host: "127.0.0.1", port: serverPort });
    let gathered: Buffer[] = [];
    client.on("data", (chunk: Buffer) => {
      gathered.push(chunk);
      if (gathered.length > 1) return;
      setTimeout(() => {
        server.write(Buffer.concat(gathered));
        gathered = [];
      }, gatherMs);
    });
    server.on("data", (chunk: Buffer) => client.write(chunk));
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.push(end);
      end.on("error", () => {});
      end.on("close", () => other.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const at = listener.address();
  if (at === null || typeof at === "string") throw new Error("it listens on no port");
  return {
    port: at.port,
    stop: () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
