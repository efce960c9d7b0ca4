/**
 * One person's way to a desktop, timed: TLS, list, connect, the 101, then Debian's own nxproxy on a screen
 * until the desktop's colour is seen. The client side of the protocol as the Perl client speaks it.
 */

import { createServer, type Server, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { sleep } from "../src/lib/wait.ts";
import type { Colour, Screen } from "./screen.ts";

export type RoundTarget = {
  readonly host: string;
  readonly port: number;
  readonly login: string;
  readonly password: string;
  readonly vmId?: number;
};

type Connected = {
  readonly socket: TLSSocket;
  readonly vmId: number;
  /** Moments by performance.now(). */
  readonly at: {
    readonly start: number;
    /** TLS stands, the list is asked for. */
    readonly secured: number;
    /** The list has come, the desktop is asked for. */
    readonly asked: number;
    readonly switched: number;
  };
  /** Texts of the 102 answers. */
  readonly progress: readonly string[];
};

const DEADLINE_MS = 90_000;

/** Lists, connects, and returns after the 101; throws with the answer when it is another one. */
async function connectToDesktop(target: RoundTarget): Promise<Connected> {
  const start = performance.now();
  const socket = await openTls(target);
  const secured = performance.now();
  const read = createReader(socket);
  const authorization = `Authorization: Basic ${btoa(`${target.login}:${target.password}`)}`;
  socket.write(`GET /qvd/list_of_vm? HTTP/1.1\r\n${authorization}\r\n\r\n`);
  const list = await read();
  if (list.status !== 200) throw new Error(`list_of_vm answered ${list.status}: ${list.body}`);
  const desktops: { id: number }[] = JSON.parse(list.body);
  const vmId = target.vmId ?? desktops[0]?.id;
  if (vmId === undefined) throw new Error(`${target.login} has no desktop`);
  const asked = performance.now();
  socket.write(
    `GET /qvd/connect_to_vm?id=${vmId}&qvd.client.os=linux&qvd.client.link=lan&qvd.client.keyboard=pc105%2Fus&qvd.client.geometry=1024x768 HTTP/1.1\r\n${authorization}\r\nConnection: Upgrade\r\nUpgrade: QVD/1.0\r\n\r\n`,
  );
  const progress: string[] = [];
  for (;;) {
    const answer = await read();
    if (answer.status === 101) break;
    if (answer.status !== 102) throw new Error(`connect_to_vm answered ${answer.status}: ${answer.body}`);
    progress.push(/X-QVD-VM-Info: (.*)/.exec(answer.head)?.[1]?.trim() ?? "");
  }
  return { socket, vmId, at: { start, secured, asked, switched: performance.now() }, progress };
}

export type Visit = {
  readonly at: Connected["at"] & { readonly pixel: number };
  /** Leaves: nxproxy ends, the session is suspended. */
  leave(): Promise<void>;
};

/** All of it: connect, show, and return when the desktop is seen. */
export async function visitDesktop(screen: Screen, target: RoundTarget, colour: Colour): Promise<Visit> {
  const { socket, at } = await connectToDesktop(target);
  try {
    const display = await bridge(socket);
    const shown = await showDesktop(screen, { host: "localhost", display }, colour);
    return {
      at: { ...at, pixel: shown.pixelAt },
      leave: async () => {
        await shown.close();
        socket.destroy();
      },
    };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

export type Shown = {
  /** When the colour covered a fifth of the screen. */
  readonly pixelAt: number;
  /** Ends nxproxy; the session is suspended. */
  close(): Promise<void>;
};

/** Runs nxproxy to `host:4000+display` and waits for the colour. */
export async function showDesktop(
  screen: Screen,
  place: { readonly host: string; readonly display: number },
  colour: Colour,
): Promise<Shown> {
  const command = ["nxproxy", "-S", `${place.host}:${place.display}`];
  const proxy = Bun.spawn(command, { env: { ...screen.env }, stdout: "ignore", stderr: "ignore" });
  const end = performance.now() + DEADLINE_MS;
  while ((await screen.readCover(colour)) < 0.2) {
    if (performance.now() > end || proxy.exitCode !== null) {
      proxy.kill();
      throw new Error("the desktop was not seen on the screen");
    }
    await sleep(5);
  }
  return {
    pixelAt: performance.now(),
    close: async () => {
      proxy.kill();
      await proxy.exited;
    },
  };
}

/** The display number of a local port that leads into the session, as clients make one; it takes one visitor. */
async function bridge(session: TLSSocket): Promise<number> {
  const server = createServer({ noDelay: true }, (local) => join(session, local, server));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  session.once("close", () => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no local port was given");
  return address.port - 4000;
}

function join(session: TLSSocket, local: Socket, server: Server): void {
  server.close();
  local.on("error", () => session.destroy());
  session.on("error", () => local.destroy());
  local.pipe(session);
  session.pipe(local);
}

async function openTls(target: RoundTarget): Promise<TLSSocket> {
  const socket = connect({ host: target.host, port: target.port, rejectUnauthorized: false });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", () => resolve());
    socket.once("error", reject);
  });
  return socket;
}

type Answer = { readonly status: number; readonly head: string; readonly body: string };

/** Reads answers one by one; at the 101 the socket is paused and left to whoever joins it next. */
function createReader(socket: TLSSocket): () => Promise<Answer> {
  let buffer = Buffer.alloc(0);
  return async () => {
    for (;;) {
      const answer = takeAnswer(buffer);
      if (answer !== undefined) {
        buffer = buffer.subarray(answer.size);
        return answer;
      }
      const chunk = await readChunk(socket);
      if (chunk === null) throw new Error("the broker closed the connection");
      buffer = Buffer.concat([buffer, chunk]);
    }
  };
}

function takeAnswer(buffer: Buffer): (Answer & { readonly size: number }) | undefined {
  const end = buffer.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const head = buffer.subarray(0, end).toString("latin1");
  const length = Number(/^Content-Length: (\d+)/m.exec(head)?.[1] ?? 0);
  const size = end + 4 + length;
  if (buffer.length < size) return undefined;
  return { status: Number(head.slice(9, 12)), head, body: buffer.subarray(end + 4, size).toString(), size };
}

async function readChunk(socket: TLSSocket): Promise<Buffer | null> {
  const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), DEADLINE_MS);
  try {
    for (;;) {
      const chunk: Buffer | null = socket.read();
      if (chunk !== null) return chunk;
      if (socket.readableEnded || socket.destroyed) return null;
      await new Promise<void>((resolve) => {
        const done = () => {
          for (const event of ["readable", "end", "close", "error"]) socket.off(event, done);
          resolve();
        };
        for (const event of ["readable", "end", "close", "error"]) socket.on(event, done);
      });
    }
  } finally {
    clearTimeout(timer);
  }
}
