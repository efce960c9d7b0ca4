/** Another box of the site with a desktop that sends all back: as much of its broker as the near one asks for. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:tls";

export type PlayedDesktop = { readonly port: number; readonly close: () => void };

/** `key` and `certificate` are files of a box of the same site. */
export async function playDesktop(key: string, certificate: string): Promise<PlayedDesktop> {
  const pair = { key: readFileSync(key), cert: readFileSync(certificate) };
  const server = createServer(pair, (socket) => {
    let head = "";
    const read = (chunk: Buffer) => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      socket.off("data", read);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: QVD-Relay/1\r\n\r\n");
      socket.pipe(socket);
    };
    socket.on("data", read);
    socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  return { port: address.port, close: () => server.close() };
}
