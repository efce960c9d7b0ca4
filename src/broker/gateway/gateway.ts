/**
 * The browser's side of the QVD port. A connection whose first line is a browser's is handed over here and joined, byte
 * for byte, with an HTTP server of this same process on loopback: Bun's, which reads HTTP well and WebSockets fast.
 * Whose connection it is goes beside the bytes, not in them: by the number of our own end's port, which nobody else
 * can have at the same time. Whoever comes to the loopback port by another way is refused.
 */

import { parseId, type VmId } from "../../domain/ids.ts";
import { chooseClientParameters } from "../../domain/session/client-parameters.ts";
import { isOwnHost } from "../../ui/forgery.ts";
import { fitScreen } from "../../wire/display/control.ts";
import { connectDesktop } from "../connect-desktop.ts";
import { type OwnedSocket, tuneSocket } from "../socket.ts";
import type { HandedOver } from "../upgrade.ts";
import { createGatewayApp } from "./app.tsx";
import { loadGatewayAssets } from "./assets.ts";
import { parseUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";
import { GatewayPipe } from "./gateway-pipe.ts";
import { parseFromPage } from "./page-message.ts";
import { ScreenSession, type ScreenWish } from "./screen-session.ts";

export type Gateway = {
  /** Takes over a browser's connection; `onEnded` comes once, when nothing of it is left. */
  readonly take: (client: HandedOver, address: string, onEnded: () => void) => void;
  /** Ends connections that show no screen; the others go on. */
  readonly drain: () => void;
  readonly stop: () => void;
};

type SocketData = { readonly wish: ScreenWish; readonly pipe: GatewayPipe; session?: ScreenSession };

const LOOPBACK = "127.0.0.1";
const CONNECT_MS = 2_000;
const MOST_FORM_BYTES = 64 * 1024;
/** A message of noVNC's is at most some hundred bytes, a clipboard apart. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
const REQUEST_IDLE_SECONDS = 30;
const SOCKET_IDLE_SECONDS = 60;
/** What may lie in our memory for a browser that doesn't read. One read of the desktop's is half of it at most. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

export function startGateway(given: Omit<GatewayDeps, "assets">): Gateway {
  const deps: GatewayDeps = { ...given, assets: loadGatewayAssets() };
  const app = createGatewayApp(deps);
  /** By the port of our end of their connection to the server. */
  const pipes = new Map<number, GatewayPipe>();
  const all = new Set<GatewayPipe>();
  const server = Bun.serve<SocketData>({
    hostname: LOOPBACK,
    port: 0,
    maxRequestBodySize: MOST_FORM_BYTES,
    idleTimeout: REQUEST_IDLE_SECONDS,
    async fetch(request, serving) {
      const pipe = pipes.get(serving.requestIP(request)?.port ?? 0);
      if (pipe === undefined) return new Response(null, { status: 403 });
      if (!/^\/desktop\/[0-9]+\/ws$/.test(new URL(request.url).pathname))
        return app.fetch(request, { address: pipe.address });
      const wish = await admitSocket(deps, request, pipe.address);
      if (wish instanceof Response) return wish;
      if (serving.upgrade(request, { data: { wish, pipe } })) return undefined;
      return new Response("This is for a page's WebSocket.", { status: 426 });
    },
    websocket: {
      idleTimeout: SOCKET_IDLE_SECONDS,
      maxPayloadLength: MOST_MESSAGE_BYTES,
      backpressureLimit: MOST_WAITING_BYTES,
      perMessageDeflate: false,
      open(socket) {
        const { data } = socket;
        data.pipe.isScreen = true;
        data.session = new ScreenSession(
          deps,
          {
            sendBinary: (chunk) => socket.sendBinary(chunk),
            sendText: (text) => socket.sendText(text),
            close: () => socket.close(),
          },
          data.wish,
        );
        void data.session.open();
      },
      message({ data }, message) {
        if (typeof message !== "string") return data.session?.onBinary(message);
        const order = parseFromPage(message);
        if (order !== undefined) data.session?.onOrder(order);
      },
      drain: ({ data }) => data.session?.onDrain(),
      close: ({ data }) => data.session?.onClose(),
    },
  });
  const port = server.port ?? 0;
  return {
    take: (client, address, onEnded) => {
      const pipe = new GatewayPipe(address, {
        onEnded: () => {
          all.delete(pipe);
          if (pipe.port !== undefined) pipes.delete(pipe.port);
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
    stop: () => {
      server.stop(true);
    },
  };
}

/** Checks whose WebSocket it is: its page's origin, the web session of its cookie, and its ticket, which is used up. */
async function admitSocket(
  deps: GatewayDeps,
  request: Request,
  origin: string,
): Promise<ScreenWish | Response> {
  const { pathname, searchParams } = new URL(request.url);
  const sessionToken = parseUserToken(request.headers.get("Cookie"));
  const vmId = parseId<VmId>(pathname.split("/")[2] ?? "");
  const ticket = searchParams.get("ticket") ?? "";
  const isOurs = isOwnHost(request, request.headers.get("Origin") ?? "");
  if (!isOurs || sessionToken === undefined || vmId === undefined) return new Response(null, { status: 403 });
  try {
    const found = await deps.web.find(sessionToken);
    const isGood = found !== undefined && (await deps.web.takeTicket({ ticket, sessionToken, vmId }));
    if (!isGood) return new Response(null, { status: 403 });
    return { actor: found.actor, origin, vmId, client: describeBrowser(searchParams) };
  } catch (error) {
    deps.log.warn("browser-not-admitted", { vmId, error });
    return new Response(null, { status: 503 });
  }
}

function describeBrowser(query: URLSearchParams) {
  const size = fitScreen({ width: Number(query.get("width")), height: Number(query.get("height")) });
  return chooseClientParameters(
    new Map([
      ["qvd.client.geometry", `${size.width}x${size.height}`],
      ["qvd.client.link", "lan"],
      ["qvd.client.type", "browser"],
      ["qvd.client.timezone", query.get("timezone") ?? ""],
    ]),
  );
}
