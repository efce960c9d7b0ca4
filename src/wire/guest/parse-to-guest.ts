/**
 * Reads one line from the node, inside the desktop. The guest trusts the host, so this is a light check by
 * hand, against faults and other versions rather than against an enemy; a schema library would cost the agent
 * more memory than all the rest of it.
 */

import type { GuestExpiry, ToGuest } from "./messages.ts";

export type ParsedToGuest =
  | { readonly isGood: true; readonly message: ToGuest }
  /** `order` is the id to answer to, when one could be read. */
  | { readonly isGood: false; readonly reason: string; readonly order: number | null };

type Shape = Readonly<Record<string, unknown>>;

export function parseToGuest(line: string): ParsedToGuest {
  const value = readObject(line);
  if (value === undefined) return refuse("the line is not a JSON object", null);
  if (value.type === "welcome") {
    const { version, attachment, incarnation } = value;
    return isId(version) && isText(attachment)
      ? accept({ type: "welcome", version, attachment, ...(isText(incarnation) && { incarnation }) })
      : refuse("the welcome lacks version or attachment", null);
  }
  if (value.type === "unlock-verdict") {
    const { request, isUnlocked, text } = value;
    return isId(request) && isText(text)
      ? accept({ type: "unlock-verdict", request, isUnlocked: isUnlocked === true, text })
      : refuse("the verdict lacks request or text", null);
  }
  const order = isId(value.order) ? value.order : null;
  if (order === null) return refuse("the order has no id", null);
  const type = value.type;
  switch (type) {
    case "session-prepare":
      return readPrepare(value, order);
    case "session-suspend":
    case "session-stop":
    case "power-off":
      return accept({ type, order });
    case "notice":
      return isText(value.text)
        ? accept({ type, order, text: value.text, ...readExpiry(value.expiry) })
        : refuse("the notice has no text", order);
    default:
      return refuse(`the order "${String(type)}" is unknown to this agent`, order);
  }
}

function readPrepare(value: Shape, order: number): ParsedToGuest {
  const { account, client, session, accept: gateway, slaveKey } = value;
  if (!isId(session)) return refuse("the order has no session id", order);
  if (!isObject(account) || !isText(account.login) || !isNumber(account.uid) || !isText(account.fullName)) {
    return refuse("the order has no complete account", order);
  }
  if (!isObject(client) || ![client.keyboard, client.os, client.link, client.geometry].every(isText)) {
    return refuse("the order has no complete client parameters", order);
  }
  if (!isText(gateway) || !isText(slaveKey)) return refuse("the order lacks accept or slaveKey", order);
  return accept({
    type: "session-prepare",
    order,
    session,
    account: { login: account.login, uid: account.uid, fullName: account.fullName },
    client: {
      keyboard: String(client.keyboard),
      os: String(client.os),
      link: String(client.link),
      geometry: String(client.geometry),
      isFullscreen: client.isFullscreen === true,
      ...(isObject(client.given) ? { given: readTexts(client.given) } : {}),
    },
    accept: gateway,
    slaveKey,
    ...(value.access === "browser" ? { access: value.access } : {}),
    ...(isObject(value.properties) ? { properties: readTexts(value.properties) } : {}),
    ...(isObject(value.parameters) ? { parameters: readTexts(value.parameters) } : {}),
    ...(isText(value.program) && value.program !== "" ? { program: value.program } : {}),
  });
}

function readExpiry(value: unknown): { readonly expiry?: GuestExpiry } {
  if (!isObject(value) || !isText(value.soft) || !isText(value.hard)) return {};
  return { expiry: { soft: value.soft, hard: value.hard } };
}

function readTexts(value: Shape): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (isText(text) ? [[key, text] as const] : [])),
  );
}

function readObject(line: string): Shape | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON is an answer here, not a failure.
    return undefined;
  }
}

function accept(message: ToGuest): ParsedToGuest {
  return { isGood: true, message };
}

function refuse(reason: string, order: number | null): ParsedToGuest {
  return { isGood: false, reason, order };
}

function isObject(value: unknown): value is Shape {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isId(value: unknown): value is number {
  return isNumber(value) && Number.isInteger(value) && value >= 0;
}
