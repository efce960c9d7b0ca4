/** The WebSocket of a desktop's page: who may open it, and what comes on it. */

import { parseId, type VmId } from "../../domain/ids.ts";
import { chooseClientParameters } from "../../domain/session/client-parameters.ts";
import { isOwnHost } from "../../ui/forgery.ts";
import { fitScreen } from "../../wire/display/control.ts";
import { parseUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";
import type { GatewayPipe } from "./gateway-pipe.ts";
import { parseFromPage } from "./page-message.ts";
import { ScreenSession, type ScreenWish } from "./screen-session.ts";

export type ScreenSocketData = {
  readonly wish: ScreenWish;
  readonly pipe: GatewayPipe;
  session?: ScreenSession;
};

/** A message of noVNC's is at most some hundred bytes, a clipboard apart. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
const SOCKET_IDLE_SECONDS = 60;
/** What may lie in our memory for a browser that doesn't read. One read of the desktop's is half of it at most. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

export function isScreenPath(path: string): boolean {
  return /^\/desktop\/[0-9]+\/ws$/.test(path);
}

export function screenHandlers(deps: GatewayDeps): Bun.WebSocketHandler<ScreenSocketData> {
  return {
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
  };
}

/** Checks whose WebSocket it is: its page's origin, the web session of its cookie, and its ticket, which is used up. */
export async function admitSocket(
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
    const { actor, parameters } = found;
    return { actor, origin, vmId, parameters, client: describeBrowser(searchParams) };
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
