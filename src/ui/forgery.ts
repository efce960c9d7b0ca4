/**
 * Whether a request for a change comes from a page of ours: the browser must say so, and the request must carry the
 * session's token. Either would do; both stand because each has had its holes.
 */

import { timingSafeEqual } from "node:crypto";
import { AppError } from "../lib/errors.ts";

/** Throws `forbidden` unless the browser says that a page of ours sent this. */
export function requireOwnOrigin(request: Request): void {
  const site = request.headers.get("Sec-Fetch-Site");
  const origin = request.headers.get("Origin");
  const isOwn = site !== null ? site === "same-origin" : origin !== null && isOwnHost(request, origin);
  if (!isOwn)
    throw new AppError("forbidden", "This was not sent by a page of this server, so it was not done.");
}

/** Throws `forbidden` unless both are the same token. */
export function requireToken(given: string | undefined, expected: string | undefined): void {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(expected ?? "")];
  const isSame = one.length > 0 && one.length === other.length && timingSafeEqual(one, other);
  if (!isSame) {
    throw new AppError(
      "forbidden",
      "This form is from an earlier sign-in. Go back, reload the page and try again.",
    );
  }
}

/** Of a WebSocket, which browsers open for any page that asks: only the origin tells whose it was. */
export function isOwnHost(request: Request, origin: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(request.url).host;
}
