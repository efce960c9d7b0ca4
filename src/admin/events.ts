/**
 * GET /events: the stream that tells a page to look again. It says only that something changed; what did is
 * read by the page's own request, which is authorised like any other. It ends after a while, so that a
 * browser whose session is over doesn't listen for ever; browsers come back by themselves.
 */

import type { Handler } from "hono";
import { streamSSE } from "hono/streaming";
import { AppError } from "../lib/errors.ts";
import { sleep } from "../lib/wait.ts";
import { LIVE_EVENT } from "../ui/ids.ts";
import type { AdminEnv } from "./env.ts";
import type { Live } from "./live.ts";

const LASTS_MS = 15 * 60_000;
/** Shorter than what proxies take for a dead connection. */
const BEAT_MS = 20_000;

export function streamEvents(live: Live): Handler<AdminEnv> {
  return function openStream(c) {
    if (!live.hasRoom) {
      throw new AppError(
        "unavailable",
        "Too many pages are open to update them live; reload to see changes.",
      );
    }
    c.env?.holdOpen?.();
    return streamSSE(c, async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      let wake = Promise.withResolvers<void>();
      let isDue = false;
      const stop = live.listen(() => {
        isDue = true;
        wake.resolve();
      });
      const until = performance.now() + LASTS_MS;
      try {
        await stream.writeSSE({ event: "qvd-hello", data: "" });
        while (!ended.signal.aborted && performance.now() < until) {
          await Promise.race([wake.promise, sleep(BEAT_MS, ended.signal)]);
          wake = Promise.withResolvers<void>();
          const event = isDue ? LIVE_EVENT : "qvd-beat";
          isDue = false;
          await stream.writeSSE({ event, data: "" });
        }
      } finally {
        stop();
      }
    });
  };
}
