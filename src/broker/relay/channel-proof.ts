/**
 * How two boxes prove themselves over a connection whose certificate says nothing of the site, since the port shows one of
 * another authority to clients and browsers. Each signs what TLS tells the two ends of this connection alone (RFC 5705), so
 * that nobody between them can pass a proof on, not even who holds the port's key.
 */

import { formatJson } from "../../wire/client/json.ts";
import type { OwnedSocket } from "../socket.ts";
import { type BoxIdentity, findSignatureFault, signAsBox } from "./box-proof.ts";

/** Who speaks: a proof of the one can't be sent back as the other's. */
export type Side = "asks" | "answers";

const LABEL = "EXPERIMENTAL-qvd-relay";
const KEY_BYTES = 32;

/** The same at both ends of a TLS connection, and nowhere else. */
export function readChannelKey(socket: OwnedSocket): Uint8Array {
  // Bun's types say that it returns nothing.
  const key: unknown = socket.exportKeyingMaterial(KEY_BYTES, LABEL);
  if (key instanceof Uint8Array && key.length === KEY_BYTES) return key;
  throw new Error("TLS gave no key of the connection");
}

export function formatChannelProof(
  identity: BoxIdentity,
  side: Side,
  key: Uint8Array,
): Readonly<Record<string, string>> {
  return signAsBox(identity, textOf(side, key));
}

/** Undefined when a box of the site is at the other end, else what is wrong, for our log. */
export function findChannelFault(
  authority: string,
  said: { readonly side: Side; readonly key: Uint8Array },
  headers: ReadonlyMap<string, string>,
): string | undefined {
  return findSignatureFault(authority, textOf(said.side, said.key), headers);
}

/** The answer's body: what would be headers of a request. */
export function formatChannelAnswer(identity: BoxIdentity, key: Uint8Array): string {
  return formatJson(formatChannelProof(identity, "answers", key));
}

export function findChannelAnswerFault(authority: string, key: Uint8Array, body: string): string | undefined {
  return findChannelFault(authority, { side: "answers", key }, parseTexts(body));
}

/** Of an object, the members that are texts. */
function parseTexts(body: string): ReadonlyMap<string, string> {
  try {
    const value: unknown = JSON.parse(body);
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    // Whatever it is, it proves nothing.
    return new Map();
  }
}

function textOf(side: Side, key: Uint8Array): string {
  return `qvd-relay-channel-1\n${side}\n${Buffer.from(key).toString("hex")}\n`;
}
