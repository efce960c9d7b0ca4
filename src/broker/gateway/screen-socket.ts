/** The WebSocket that shows a desktop's screen, from its admission to its session. */

import { chooseClientParameters } from "../../domain/session/client-parameters.ts";
import { TokenBucket } from "../../lib/token-bucket.ts";
import { fitScreen } from "../../wire/display/control.ts";
import { parseFromPage } from "./page-message.ts";
import type { AdmittedSocket, PageSocket, PageSocketOwner } from "./page-socket.ts";
import { type ScreenDeps, ScreenSession } from "./screen-session.ts";

/** Texts of a page, and of a long one its letters: what hands say is a few in a second. Each costs us more to read than a page to send. */
const TEXTS = { perSecond: 200, burst: 1_000 };
const LETTERS_PER_TEXT = 4096;

export function beginScreen(deps: ScreenDeps, page: PageSocket, admitted: AdmittedSocket): PageSocketOwner {
  const { person, origin, vmId, query } = admitted;
  const { actor, parameters } = person;
  const isConsole = query.get("screen") === "console";
  const wish = { actor, origin, vmId, parameters, client: describeBrowser(query), isConsole };
  const session = new ScreenSession(deps, page, wish);
  const bucket = new TokenBucket(TEXTS, performance.now());
  void session.open();
  return {
    onBinary: (chunk) => session.onBinary(chunk),
    onText(text) {
      if (!bucket.take(1 + text.length / LETTERS_PER_TEXT, performance.now())) return page.close();
      const order = parseFromPage(text);
      if (order !== undefined) session.onOrder(order);
    },
    onDrain: () => session.onDrain(),
    onClose: () => session.onClose(),
  };
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
