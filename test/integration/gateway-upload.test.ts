/** A file on its way to a desktop that doesn't take it waits at its sender's, not in our memory. */

import { expect, test } from "bun:test";
import { sleep, waitFor } from "../../src/lib/wait.ts";
import { readResidentKb, withBroker } from "../fuzz/strangers.ts";
import { fieldOf, PortalClient } from "../support/portal-client.ts";
import { QvdClient } from "../support/qvd-client.ts";
import { formatRequest } from "../support/raw-browser.ts";

const FILE_BYTES = 600_000_000;
const BLOCK = new Uint8Array(1024 * 1024);
/** What sockets on the way may hold between them. */
const MOST_UNDER_WAY = 100_000_000;
const MOST_GROWN_KB = 64 * 1024;

test("a file for a desktop that stands still fills nobody's memory", async () => {
  const desktop = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: (socket) => {
        socket.write("OK\n");
        socket.pause();
      },
      error: () => {},
    },
  });
  await withBroker(desktop.port, async ({ port, pid }) => {
    const alice = new PortalClient(port);
    await alice.signIn("alice", "secret");
    const csrf = fieldOf((await alice.ask("/")).text, "csrf");
    const beforeKb = readResidentKb(pid);
    const client = await QvdClient.open(port);
    const headers = [`Cookie: ${alice.cookie}`, `X-CSRF-Token: ${csrf}`, `Content-Length: ${FILE_BYTES}`];
    client.send(formatRequest(port, "/desktop/1/files?name=a", { method: "POST", headers }));
    let [sent, lastAtMs] = [0, performance.now()];
    // Until nothing more is taken for a while.
    const isStuck = () => {
      const written = Math.max(0, client.write(BLOCK));
      sent += written;
      if (written > 0) lastAtMs = performance.now();
      return sent > MOST_UNDER_WAY || performance.now() - lastAtMs > 1_500 ? true : undefined;
    };
    await waitFor(isStuck, { timeoutMs: 20_000, everyMs: 2 });
    await sleep(500);
    expect(sent).toBeGreaterThan(BLOCK.length);
    expect(sent).toBeLessThan(MOST_UNDER_WAY);
    expect(readResidentKb(pid) - beforeKb).toBeLessThan(MOST_GROWN_KB);
    client.terminate();
  });
  desktop.stop(true);
}, 60_000);
