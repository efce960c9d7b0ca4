/**
 * The people at work, in a thread of their own: what the benchmark does besides (100 wishes, looks at the database)
 * must not be taken for a delay of the sessions. Theirs are other machines: the thread is before all else that runs on this
 * one, so that what is timed is the way through the box. Told `open`, `begin` and `end`, it answers each.
 */

import { readlinkSync } from "node:fs";
import { QvdConnection, type Target } from "../../script/lib/check/qvd-connection.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { runOk } from "../../src/lib/run.ts";
import { sleep } from "../../src/lib/wait.ts";

/** Who sits at which desktop. */
export type Seat = { readonly target: Target; readonly vmId: VmId };

export type PingOrder =
  | { readonly type: "open"; readonly seats: readonly Seat[] }
  | { readonly type: "begin" }
  | { readonly type: "end" };

/** `taken` are the round trips between `begin` and `end`, in milliseconds. */
export type PingAnswer =
  | { readonly type: "done"; readonly taken: readonly number[] }
  | { readonly type: "failed"; readonly text: string };

const PING_EVERY_MS = 20;
const MESSAGE = Buffer.alloc(64, 7);

declare const self: Worker;

/** One round trip; milliseconds. */
type Ping = () => Promise<number>;
type Round = { readonly taken: readonly number[]; readonly stop: () => void; readonly all: Promise<unknown> };

serve(self);

function serve(thread: Worker): void {
  let pipes: readonly Ping[] = [];
  let round: Round | undefined;
  const obey = async (order: PingOrder): Promise<readonly number[]> => {
    switch (order.type) {
      case "open":
        await leaveTheBox();
        pipes = await Promise.all(order.seats.map(openPipe));
        return [];
      case "begin":
        round = begin(pipes);
        return [];
      case "end":
        round?.stop();
        await round?.all;
        return round?.taken ?? [];
    }
  };
  const answer = (message: PingAnswer) => thread.postMessage(message);
  thread.onmessage = ({ data }: MessageEvent<PingOrder>) => {
    obey(data)
      .then((taken) => answer({ type: "done", taken }))
      .catch((error: unknown) => answer({ type: "failed", text: String(error) }));
  };
}

/** Of this thread alone: what else the benchmark does is ordinary work. */
async function leaveTheBox(): Promise<void> {
  const thread = readlinkSync("/proc/thread-self").split("/").at(-1) ?? "";
  await runOk("putting the people's thread first", ["/usr/bin/chrt", "--fifo", "--pid", "10", thread]);
}

/** One ping after the other at each pipe. */
function begin(pipes: readonly Ping[]): Round {
  const taken: number[] = [];
  let isDone = false;
  const pinging = pipes.map(async (ping) => {
    while (!isDone) {
      taken.push(await ping());
      await sleep(PING_EVERY_MS);
    }
  });
  const stop = () => {
    isDone = true;
  };
  return { taken, stop, all: Promise.all(pinging) };
}

async function openPipe({ target, vmId }: Seat): Promise<Ping> {
  const connection = await QvdConnection.open(target);
  const { final } = await connection.connect(vmId, "1024x768");
  if (final.status !== 101) throw new Error(`connect_to_vm answered ${final.status}: ${final.body}`);
  const { socket } = connection.take();
  let missing = 0;
  let arrived: () => void = () => {};
  socket.on("data", (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing <= 0) arrived();
  });
  return async () => {
    const sentMs = performance.now();
    missing = MESSAGE.length;
    const back = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    socket.write(MESSAGE);
    await back;
    return performance.now() - sentMs;
  };
}
