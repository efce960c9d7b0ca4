/**
 * The WebSockets of a desktop's page: who may open one, and whose its frames are. What a kind of socket carries is its
 * owner's affair: the screen's (`screen-session.ts`), sound's and the microphone's (`sound/`).
 */

import { parseId, type VmId } from "../../domain/ids.ts";
import type { FoundWebSession } from "../../service/web-session/find.ts";
import { isOwnHost } from "../../ui/forgery.ts";
import { parseUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";
import type { GatewayPipe } from "./gateway-pipe.ts";
import type { SignedInSockets } from "./signed-in-sockets.ts";
import type { AdmittedVisit } from "./visit-socket.ts";

/** The WebSocket as its owner needs it. */
export interface PageSocket {
  /** Below 0: kept, and `onDrain` follows. 0: lost, since it is closed. */
  sendBinary(chunk: Uint8Array): number;
  sendText(text: string): number;
  close(): void;
}

/** Takes what comes on one WebSocket. */
export interface PageSocketOwner {
  /** `chunk` is the socket's own buffer, which is used again. */
  onBinary(chunk: Uint8Array): void;
  onText(text: string): void;
  onDrain(): void;
  /** The last call. */
  onClose(): void;
}

export type PageSocketKind = "ws" | "sound" | "microphone";

export type AdmittedSocket = {
  readonly kind: PageSocketKind;
  readonly vmId: VmId;
  readonly person: FoundWebSession;
  /** Of their web session. */
  readonly token: string;
  /** The browser's, as the broker saw it. */
  readonly origin: string;
  readonly query: URLSearchParams;
};

export type PageSocketData = {
  readonly pipe: GatewayPipe;
  readonly admitted: AdmittedSocket | AdmittedVisit;
  owner?: PageSocketOwner;
  /** Forgets the socket where those of a web session are kept. */
  leave?: () => void;
};

/** A message of noVNC's is at most some hundred bytes, a clipboard apart. */
const MOST_MESSAGE_BYTES = 1024 * 1024;
const SOCKET_IDLE_SECONDS = 60;
/** What may lie in our memory for a browser that doesn't read. One read of the desktop's is half of it at most. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

const PATH = /^\/desktop\/([0-9]+)\/(ws|sound|microphone)$/;

export function isSocketPath(path: string): boolean {
  return PATH.test(path);
}

export type PageSocketDeps = {
  readonly sockets: SignedInSockets;
  readonly begin: (page: PageSocket, admitted: AdmittedSocket | AdmittedVisit) => PageSocketOwner;
};

export function pageSocketHandlers({ sockets, begin }: PageSocketDeps): Bun.WebSocketHandler<PageSocketData> {
  return {
    idleTimeout: SOCKET_IDLE_SECONDS,
    maxPayloadLength: MOST_MESSAGE_BYTES,
    backpressureLimit: MOST_WAITING_BYTES,
    perMessageDeflate: false,
    open(socket) {
      const { data } = socket;
      data.pipe.isScreen = true;
      const { token, person } = data.admitted;
      // An administrator's visit belongs to no web session of this port.
      if (person !== undefined)
        data.leave = sockets.add({ token, expiresAt: person.expiresAt, close: () => socket.close() });
      const page: PageSocket = {
        sendBinary: (chunk) => socket.sendBinary(chunk),
        sendText: (text) => socket.sendText(text),
        close: () => socket.close(),
      };
      data.owner = begin(page, data.admitted);
    },
    message({ data }, message) {
      if (typeof message === "string") data.owner?.onText(message);
      else data.owner?.onBinary(message);
    },
    drain: ({ data }) => data.owner?.onDrain(),
    close({ data }) {
      data.leave?.();
      data.owner?.onClose();
    },
  };
}

/** Checks whose WebSocket it is: its page's origin, the web session of its cookie, and its ticket, which is used up. */
export async function admitSocket(
  deps: GatewayDeps,
  request: Request,
  origin: string,
): Promise<AdmittedSocket | Response> {
  const { pathname, searchParams: query } = new URL(request.url);
  const token = parseUserToken(request.headers.get("Cookie"));
  const [, id = "", name] = PATH.exec(pathname) ?? [];
  const vmId = parseId<VmId>(id);
  const kind = name === "sound" || name === "microphone" ? name : "ws";
  const ticket = query.get("ticket") ?? "";
  const isOurs = isOwnHost(request, request.headers.get("Origin") ?? "");
  if (!isOurs || token === undefined || vmId === undefined) return new Response(null, { status: 403 });
  try {
    const person = await deps.web.find(token);
    const isGood = person !== undefined && (await deps.web.takeTicket({ ticket, sessionToken: token, vmId }));
    return isGood ? { kind, vmId, person, token, origin, query } : new Response(null, { status: 403 });
  } catch (error) {
    deps.log.warn("browser-not-admitted", { vmId, error });
    return new Response(null, { status: 503 });
  }
}
