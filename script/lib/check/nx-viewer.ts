/** Debian's unmodified nxproxy, showing a session on a screen; the session's bytes go through a local port, as with any QVD client. */

import { createServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Screen } from "../../../bench/screen.ts";
import type { QvdConnection } from "./qvd-connection.ts";

export type NxViewer = {
  /** Vanishes as a crashed client would. */
  drop(): Promise<void>;
  /** True when the other side has ended the session. */
  hasEnded(): boolean;
};

export async function startNxViewer(connection: QvdConnection, screen: Screen): Promise<NxViewer> {
  const { socket, early } = connection.take();
  let hasEnded = false;
  socket.on("close", () => {
    hasEnded = true;
  });
  const port = await openLocalPort(socket, early);
  const proxy = Bun.spawn(["nxproxy", "-S", `localhost:${port - 4000}`], {
    env: { ...screen.env },
    stdio: ["ignore", "ignore", "ignore"],
  });
  return {
    hasEnded: () => hasEnded,
    async drop() {
      proxy.kill("SIGKILL");
      socket.destroy();
      await proxy.exited;
    },
  };
}

/** Takes one visitor. */
async function openLocalPort(session: TLSSocket, early: Buffer): Promise<number> {
  const server = createServer({ noDelay: true }, (local: Socket) => {
    server.close();
    local.on("error", () => session.destroy());
    if (early.length > 0) local.write(early);
    local.pipe(session);
    session.pipe(local);
  });
  session.on("error", () => server.close());
  session.once("close", () => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no local port was given");
  return address.port;
}
