/** A line that can be cut: passes connections on to a port, until it is told not to. */

export type TcpCutter = {
  readonly port: number;
  /** Resets what is open, and lets nobody through while true. */
  cut(isCut: boolean): void;
  /** Swallows what comes while true, on connections that are open and new ones; those pass nothing afterwards, either. */
  swallow(isSwallowing: boolean): void;
  stop(): void;
};

type Side = { peer: Bun.Socket<Side> | undefined; early: Uint8Array[]; readonly line: { isDead: boolean } };

export function openTcpCutter(target: number): TcpCutter {
  const open = new Set<Bun.Socket<Side>>();
  let isCut = false;
  let line = { isDead: false };
  const handlers = {
    data: (socket: Bun.Socket<Side>, chunk: Uint8Array) => {
      const { peer, early, line } = socket.data;
      if (line.isDead) return;
      if (peer === undefined) early.push(chunk);
      else peer.write(chunk);
    },
    close: (socket: Bun.Socket<Side>) => {
      open.delete(socket);
      if (!socket.data.line.isDead) socket.data.peer?.end();
    },
    error: () => {},
  };
  const server = Bun.listen<Side>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      ...handlers,
      open: (socket) => {
        socket.data = { peer: undefined, early: [], line };
        if (isCut) return void socket.terminate();
        open.add(socket);
        void Bun.connect<Side>({
          hostname: "127.0.0.1",
          port: target,
          data: { peer: socket, early: [], line: socket.data.line },
          socket: {
            ...handlers,
            open: (behind) => {
              for (const chunk of socket.data.early) behind.write(chunk);
              socket.data.peer = behind;
            },
          },
        });
      },
    },
  });
  return {
    port: server.port,
    cut: (wanted) => {
      isCut = wanted;
      if (wanted) for (const socket of open) socket.terminate();
    },
    swallow: (isSwallowing) => {
      if (isSwallowing) line.isDead = true;
      else line = { isDead: false };
    },
    stop: () => server.stop(true),
  };
}
