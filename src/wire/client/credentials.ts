/** What a client shows to prove who it is (`Authorization`). */
export type Credentials =
  | { readonly kind: "password"; readonly login: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string };

const MOST_CHARACTERS = 2048;

/** The credentials in an `Authorization` value; undefined when there are none or they can't be decoded. */
export function parseCredentials(value: string | undefined): Credentials | undefined {
  if (value === undefined || value.length > MOST_CHARACTERS) return undefined;
  const [, scheme, encoded] = /^(basic|bearer)[ \t]+([a-z0-9+/]+={0,2})$/i.exec(value) ?? [];
  if (scheme === undefined || encoded === undefined) return undefined;
  const plain = decodeText(Buffer.from(encoded, "base64"));
  if (scheme.toLowerCase() === "bearer") return { kind: "token", token: plain };
  const colon = plain.indexOf(":");
  if (colon < 1) return undefined;
  return { kind: "password", login: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

/** Clients send their locale's bytes: UTF-8 nearly always, else taken as Latin-1. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8, which is the question that was asked.
    return Buffer.from(bytes).toString("latin1");
  }
}
