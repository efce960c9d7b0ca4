/** Desktops that answer when nobody waits for it any more. */

import { expect, test } from "bun:test";
import { asId, type SessionId, type VmId } from "../../domain/ids.ts";
import { waitFor } from "../../lib/wait.ts";
import { openChannel } from "./open-channel.ts";

const TIMEOUT_MS = 150;

function openAt(port: number) {
  const ids = { id: asId<SessionId>(1), vmId: asId<VmId>(1), slaveKey: "akeyofasession" };
  let isOwned = false;
  const opening = openChannel(
    {},
    { ...ids, address: "127.0.0.1", port, elsewhere: undefined },
    {
      channel: "rfb",
      timeoutMs: TIMEOUT_MS,
      own: () => {
        isOwned = true;
        throw new Error("nobody owns what comes too late");
      },
    },
  );
  return { opening, isOwned: () => isOwned };
}

test("a door that says nothing is hung up on, and what it says then is nobody's", async () => {
  const ends: ("open" | "closed")[] = [];
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: () => void ends.push("open"),
      data: (socket) => void setTimeout(() => socket.write("OK\n"), 2 * TIMEOUT_MS),
      close: () => void ends.push("closed"),
    },
  });
  const { opening, isOwned } = openAt(server.port);
  await expect(opening).rejects.toThrow("can't be shown");
  await waitFor(() => ends.includes("closed"), { timeoutMs: 3 * TIMEOUT_MS, everyMs: 10 });
  expect([ends, isOwned()]).toEqual([["open", "closed"], false]);
  server.stop(true);
});

test("a desktop that takes the connection late is told nothing, and nothing fails of it", async () => {
  // The kernel takes one more than the backlog, and lets others ask again after a second.
  const program = `import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(0)
first = socket.create_connection(s.getsockname())
print(s.getsockname()[1], flush=True)
sys.stdin.readline()
s.accept()
s.settimeout(5)
print(s.accept()[0].recv(100), flush=True)`;
  const desktop = Bun.spawn(["/usr/bin/python3", "-c", program], { stdin: "pipe", stdout: "pipe" });
  const lines = desktop.stdout.getReader();
  const read = async () => {
    let text = "";
    while (!text.endsWith("\n")) {
      const { value, done } = await lines.read();
      if (done) return text;
      text += Buffer.from(value).toString();
    }
    return text;
  };
  const failed: unknown[] = [];
  const fail = (reason: unknown) => void failed.push(reason);
  process.on("unhandledRejection", fail);
  const { opening } = openAt(Number(await read()));
  await expect(opening).rejects.toThrow("can't be reached");
  desktop.stdin.write("\n");
  await desktop.stdin.flush();
  expect(await read()).toBe("b''\n");
  await Bun.sleep(50);
  process.off("unhandledRejection", fail);
  expect(failed).toEqual([]);
  await desktop.exited;
}, 10_000);
