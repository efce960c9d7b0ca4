/** Viewers who speak before the screen's server has let them in. */

import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { waitFor } from "../../lib/wait.ts";
import type { DoorSocket } from "./door.ts";
import { joinScreen } from "./join.ts";

const KEY = "akeyofasession";
const ASK = Buffer.concat([Buffer.from("RFB 003.008\n\x01\x02"), Buffer.alloc(16, 7)]);
const IN = Buffer.alloc(4);

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that lets everybody in, or says nothing at all. */
function serve(isMute: boolean): string {
  const folder = mkdtempSync(`${tmpdir()}/qvd-join-`);
  const unix = `${folder}/rfb`;
  let hasAsked = false;
  const server = Bun.listen({
    unix,
    socket: {
      open: (socket) => void (isMute || socket.write(ASK)),
      data: (socket) => {
        if (!isMute && !hasAsked) socket.write(IN);
        hasAsked = true;
      },
    },
  });
  cleanups.push(() => {
    server.stop(true);
    rmSync(folder, { recursive: true });
  });
  return unix;
}

function join(isMute: boolean) {
  const said: string[] = [];
  const broker = {
    write: (chunk: Uint8Array) => chunk.length,
    end: () => void said.push("end"),
    terminate() {},
    pause() {},
    resume() {},
  } as unknown as DoorSocket;
  const owner = joinScreen(
    broker,
    { place: { unix: serve(isMute) }, key: KEY },
    { onOpen: () => void said.push("open"), onClose: () => void said.push("close") },
  );
  return { owner, said };
}

test("one that talks nonsense leaves after it came", async () => {
  const { owner, said } = join(false);
  owner.data(Buffer.from("RFB 003.003\n"));
  await waitFor(() => said.includes("close"), { timeoutMs: 2_000, everyMs: 5 });
  expect(said).toEqual(["open", "end", "close"]);
});

test("one that talks without end is sent away where the server says nothing", () => {
  const { owner, said } = join(true);
  for (let count = 0; count < 64; count++) owner.data(Buffer.alloc(1024));
  expect(said).toEqual([]);
  owner.data(Buffer.alloc(1));
  expect(said).toEqual(["end", "close"]);
});
