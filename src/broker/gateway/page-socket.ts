/**
 * The WebSockets of a desktop's page: who may open one, and whose its messages are. What a kind of socket carries is its
 * owner's affair: the screen's (`screen-session.ts`), sound's and the microphone's (`sound/`).
 */

import { parseId, type VmId } from "../../domain/ids.ts";
import type { FoundWebSession } from "../../service/web-session/find.ts";
import { isOwnHost } from "../../ui/forgery.ts";
import { parseUserToken } from "./cookies.ts";
import type { GatewayDeps } from "./deps.ts";
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
  /** `chunk` may be a part of something larger. */
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

const PATH = /^\/desktop\/([0-9]+)\/(ws|sound|microphone)$/;

export function isSocketPath(path: string): boolean {
  return PATH.test(path);
}

/** Gives a new WebSocket its owner, and ends it with the web session that opened it. */
export function openPageSocket(
  sockets: SignedInSockets,
  { token, person }: Pick<AdmittedSocket | AdmittedVisit, "token" | "person">,
  { page, begin }: { readonly page: PageSocket; readonly begin: (page: PageSocket) => PageSocketOwner },
): PageSocketOwner {
  // An administrator's visit belongs to no web session of this port.
  const leave =
    person === undefined
      ? () => {}
      : sockets.add({ token, expiresAt: person.expiresAt, close: () => page.close() });
  const owner = begin(page);
  return {
    onBinary: (chunk) => owner.onBinary(chunk),
    onText: (text) => owner.onText(text),
    onDrain: () => owner.onDrain(),
    onClose: () => {
      leave();
      owner.onClose();
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
