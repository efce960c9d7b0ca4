import { expect, test } from "bun:test";
import { silentLog } from "../../src/lib/log.ts";
import { refuseNoAddress, serveQuietly } from "../../src/ui/serve-quietly.ts";

test("a failure behind the pages tells strangers nothing, and the log all", async () => {
  const said: unknown[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    ...serveQuietly({ ...silentLog(), error: (...words) => said.push(words) }),
    fetch(request) {
      return refuseNoAddress(request) ?? Promise.reject(new Error("our secret"));
    },
  });
  const answer = await fetch(server.url);
  expect([answer.status, await answer.text()]).toEqual([500, ""]);
  expect(said).toMatchObject([["request-failed", { error: { message: "our secret" } }]]);
  await server.stop(true);
});
