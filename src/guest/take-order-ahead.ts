/** The order that the node left for this boot before it began: a desktop is mostly started because somebody waits. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Log } from "../lib/log.ts";
import { parseToGuest } from "../wire/guest/parse-to-guest.ts";
import type { GuestPlaces } from "./places.ts";
import type { PrepareOrder } from "./session/order.ts";

/** Once a boot; undefined when there is none, or none that can be read: the node gives it again when the agent is attached. */
export function takeOrderAhead(
  places: Pick<GuestPlaces, "orderAhead" | "orderTaken">,
  log: Log,
): PrepareOrder | undefined {
  try {
    if (existsSync(places.orderTaken)) return undefined;
    // Where there is none yet, too: one that comes late is given by the channel as well, and would be old when it is found.
    writeFileSync(places.orderTaken, "");
    if (!existsSync(places.orderAhead)) return undefined;
    const parsed = parseToGuest(readFileSync(places.orderAhead, "utf8").trimEnd());
    if (!parsed.isGood || parsed.message.type !== "session-prepare") return undefined;
    return parsed.message;
  } catch (error) {
    log.warn("order-ahead-not-taken", { error });
    return undefined;
  }
}
