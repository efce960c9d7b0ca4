import { createServer, type Server, type Socket } from "node:net";

/** A TCP server on a free port of this machine, which does with each connection what it is told. */
export function listenPlain(take: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      // Who is cut off in the middle says so here.
      socket.on("error", () => {});
      take(socket);
    });
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
