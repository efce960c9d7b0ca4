/**
 * The browser's side of the QVD port. A connection whose first line is a browser's is handed over here and joined, byte
 * for byte, with an HTTP server of this same process on loopback: Bun's, which reads HTTP well and WebSockets fast.
 * Whose connection it is goes beside the bytes, not in them: by the number of our own end's port, which nobody else
 * can have at the same time on that address. Whoever comes to the loopback port by another way is refused.
 */

import { refuseNoAddress, serveQuietly } from "../../ui/serve-quietly.ts";
import { MOST_FILE_BYTES } from "../../wire/display/transfer.ts";
import { formatSwitching, parseHandshake } from "../../wire/websocket/handshake.ts";
import { connectDesktop } from "../connect-desktop.ts";
import { type OwnedSocket, tuneSocket } from "../socket.ts";
import type { HandedOver } from "../upgrade.ts";
import { createGatewayApp } from "./app.tsx";
import { loadGatewayAssets } from "./assets.ts";
import type { GatewayDeps } from "./deps.ts";
import { GatewayPipe, LOOPBACK, pipeOf } from "./gateway-pipe.ts";
import {
  type AdmittedSocket,
  admitSocket,
  isSocketPath,
  openPageSocket,
  type PageSocket,
  type PageSocketOwner,
} from "./page-socket.ts";
import { isFilesPath } from "./pages/files.ts";
import { beginScreen } from "./screen-socket.ts";
import { SignedInSockets } from "./signed-in-sockets.ts";
import { beginSound } from "./sound/begin-sound.ts";
import { beginVisitScreen } from "./visit-screen.ts";
import { type AdmittedVisit, admitVisitSocket, VISIT_SOCKET_PATH } from "./visit-socket.ts";
import { VisitWatch } from "./visit-watch.ts";

export type Gateway = {
  /** Takes over a browser's connection; `onEnded` comes once, when nothing of it is left. */
  readonly take: (client: HandedOver, address: string, onEnded: () => void) => void;
  /** Something changed about a desktop or its owner's sign-in: looks whose web session has ended. */
  readonly notify: () => void;
  /** Ends connections that show no screen; the others go on. */
  readonly drain: () => void;
  readonly stop: () => void;
};

const CONNECT_MS = 2_000;
const MOST_FORM_BYTES = 64 * 1024;
const REQUEST_IDLE_SECONDS = 30;
/** A sign-out at another box that no wake told of. */
const LOOK_EVERY_MS = 5_000;
const EXPIRE_EVERY_MS = 1_000;
/** Nearly all pictures are smaller. */
const FRAME_ROOM_BYTES = 128 * 1024;

export function startGateway(given: Omit<GatewayDeps, "assets" | "sockets" | "visitWatch">): Gateway {
  const sockets = new SignedInSockets(given.web, given.log);
  const visitWatch = given.visits === undefined ? undefined : new VisitWatch(given.visits, given.log);
  const deps: GatewayDeps = { ...given, assets: loadGatewayAssets(), sockets, visitWatch };
  const app = createGatewayApp(deps);
  /** By the port of our end of their connection to the server. */
  const pipes = new Map<number, GatewayPipe>();
  const all = new Set<GatewayPipe>();
  const room = Buffer.allocUnsafeSlow(FRAME_ROOM_BYTES);
  const server = Bun.serve({
    hostname: LOOPBACK,
    port: 0,
    maxRequestBodySize: MOST_FILE_BYTES,
    idleTimeout: REQUEST_IDLE_SECONDS,
    ...serveQuietly(deps.log),
    async fetch(request, serving) {
      const pipe = pipeOf(pipes, serving.requestIP(request));
      if (pipe === undefined) return new Response(null, { status: 403 });
      return await answer(deps, request, { pipe, page: () => app.fetch(request, { address: pipe.address }) });
    },
  });
  const looking = setInterval(() => void sockets.look(), LOOK_EVERY_MS);
  const expiring = setInterval(() => {
    for (const pipe of [...all]) pipe.expire(performance.now(), deps.limits);
  }, EXPIRE_EVERY_MS);
  const port = server.port ?? 0;
  return {
    take: (client, address, onEnded) => {
      const pipe = new GatewayPipe(address, {
        room,
        onServerLeft: () => {
          // Another may have the port by now.
          if (pipe.port !== undefined && pipes.get(pipe.port) === pipe) pipes.delete(pipe.port);
        },
        onEnded: () => {
          all.delete(pipe);
          onEnded();
        },
      });
      all.add(pipe);
      pipe.own(client);
      const join = (ours: OwnedSocket) => {
        tuneSocket(ours);
        if (!pipe.join(ours)) return false;
        pipes.set(ours.localPort, pipe);
        return true;
      };
      connectDesktop({ address: LOOPBACK, port }, { timeoutMs: CONNECT_MS, take: join }).catch(
        (error: unknown) => {
          deps.log.error("gateway-not-reached", { error });
          pipe.terminate();
        },
      );
    },
    drain: () => {
      for (const pipe of all) if (!pipe.isScreen) pipe.terminate();
    },
    notify: () => {
      void sockets.look();
      void visitWatch?.look();
    },
    stop: () => {
      clearInterval(looking);
      clearInterval(expiring);
      server.stop(true);
    },
  };
}

type Admitted = AdmittedSocket | AdmittedVisit;

async function answer(
  deps: GatewayDeps,
  request: Request,
  to: { readonly pipe: GatewayPipe; readonly page: () => Response | Promise<Response> },
): Promise<Response> {
  const refusal = refuseNoAddress(request);
  if (refusal !== undefined) return refusal;
  const { pathname } = new URL(request.url);
  return await to.pipe.during(isFilesPath(pathname), async () => {
    if (isTooMuch(request)) return new Response(null, { status: 413 });
    const isVisit = pathname === VISIT_SOCKET_PATH;
    if (!isVisit && !isSocketPath(pathname)) return to.page();
    // A ticket is good once: it isn't spent on a request that can become nothing.
    const key = parseHandshake(request);
    if (key === undefined) return notASocket();
    const admitted = await (isVisit ? admitVisitSocket : admitSocket)(deps, request, to.pipe.address);
    if (admitted instanceof Response) return admitted;
    const isOne = to.pipe.become((page) =>
      page.begin(formatSwitching(key), () =>
        openPageSocket(deps.sockets, admitted, { page, begin: () => begin(deps, page, admitted) }),
      ),
    );
    if (!isOne && admitted.kind === "visit") await endUnseen(deps, admitted);
    // Nobody hears it where it has become one.
    return notASocket();
  });
}

function notASocket(): Response {
  return new Response("This is for a page's WebSocket.", { status: 426 });
}

async function endUnseen(deps: GatewayDeps, { visitId }: AdmittedVisit): Promise<void> {
  try {
    await deps.visits?.end(visitId, "left");
  } catch (error) {
    deps.log.warn("visit-not-ended", { visitId, error });
  }
}

function begin(deps: GatewayDeps, page: PageSocket, admitted: Admitted): PageSocketOwner {
  if (admitted.kind === "visit") return beginVisitScreen(deps, page, admitted);
  return (admitted.kind === "ws" ? beginScreen : beginSound)(deps, page, admitted);
}

/** Only files may be large, and they say how large they are. */
function isTooMuch(request: Request): boolean {
  const length = request.headers.get("Content-Length");
  const isFile = isFilesPath(new URL(request.url).pathname);
  if (request.headers.has("Transfer-Encoding")) return true;
  return !isFile && Number(length ?? 0) > MOST_FORM_BYTES;
}
