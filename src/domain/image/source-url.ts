/** Where an image may be fetched from, as text that a person or another server gave. */

import { isV4, isV6 } from "./public-address.ts";

export type SourceUrl = { readonly url: URL; readonly fault?: undefined } | { readonly fault: string };

const MOST_CHARACTERS = 2000;

/** `base` is the address that redirected here. The fault is the end of a sentence that begins with the field. */
export function parseSourceUrl(text: string, base?: URL): SourceUrl {
  if (text.length > MOST_CHARACTERS) return { fault: `must have at most ${MOST_CHARACTERS} characters` };
  const url = URL.parse(text, base?.href);
  if (url === null) return { fault: "must be an address such as https://example.org/office.tar.zst" };
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return { fault: `must begin with https:// or http://; ${url.protocol.slice(0, 20)} is not fetched` };
  // It is shown to whoever sees the image, and stays in the log.
  if (url.username !== "" || url.password !== "") return { fault: "must not contain a login or password" };
  url.hash = "";
  return { url };
}

/** The host as a resolver takes it, and whether it is an address already. */
export function hostOf(url: URL): { readonly host: string; readonly isAddress: boolean } {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { host, isAddress: isV4(host) || isV6(host) };
}

/** Name for the file that comes from there: the address's last part, of harmless letters. */
export function fileNameOf(url: URL): string {
  const last = url.pathname.split("/").at(-1) ?? "";
  const plain = last.replace(/%[0-9A-Fa-f]{2}/g, "-").replace(/[^A-Za-z0-9._-]/g, "-");
  const name = plain
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(-100)
    .replace(/^[^A-Za-z0-9]+/, "");
  return name === "" ? "image" : name;
}
