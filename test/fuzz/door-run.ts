/**
 * A broker in a process of its own, and strangers at its door: half of them say nearly the right thing over TLS,
 * the others don't even speak it. Afterwards it must answer as before, hold no descriptor more, and have grown
 * by no more than a heap does that has seen work.
 */

import { waitFor } from "../../src/lib/wait.ts";
import { QvdClient } from "../support/qvd-client.ts";
import { createRandom } from "../support/random.ts";
import { HEADS, PROXY_HEADERS } from "./corpora.ts";
import { mutate, type Random } from "./mutate.ts";
import { AT_ONCE, countDescriptors, leave, readResidentKb, WARM_UP, withBroker } from "./strangers.ts";

export type DoorReport = {
  readonly connections: number;
  /** Beyond those before the strangers came. */
  readonly leftDescriptors: number;
  readonly grownKb: number;
  /** Answers to a proper question between the others; all of them must come. */
  readonly pings: number;
  readonly faults: readonly string[];
};

export type DoorOptions = {
  readonly connections: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
};

const ANSWER_MS = 10_000;

export async function runDoor({ connections, seed, signal }: DoorOptions): Promise<DoorReport> {
  const random = createRandom(seed);
  // No desktop is reached: its port is the one that discards.
  return await withBroker(9, ({ port, pid }) => visit({ port, pid, connections, random, signal }));
}

type Visit = {
  readonly port: number;
  readonly pid: number;
  readonly connections: number;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
};

async function visit({ port, pid, connections, random, signal }: Visit): Promise<DoorReport> {
  const faults: string[] = [];
  let [begun, pings] = [0, 0];
  const ping = async () => {
    const status = await askPing(port);
    if (status === 200) pings++;
    else faults.push(`after ${begun} connections /qvd/ping was answered by ${status}`);
  };
  const strangers = async (until: number) => {
    const one = async () => {
      while (begun < until && faults.length === 0) {
        signal?.throwIfAborted();
        begun++;
        if (begun % 500 === 0) await ping();
        else if (random() < 0.5) await visitOverTls(port, random);
        else await visitInClear(port, random);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  };
  await ping();
  const descriptors = countDescriptors(pid);
  await strangers(Math.ceil(connections * WARM_UP));
  const before = readResidentKb(pid);
  await strangers(connections);
  await ping();
  // What strangers left open goes by the limits of a door, the longest of which is a minute.
  const settled = () => (countDescriptors(pid) <= descriptors ? true : undefined);
  await waitFor(settled, { timeoutMs: 90_000, everyMs: 200 });
  const leftDescriptors = Math.max(0, countDescriptors(pid) - descriptors);
  return { connections: begun, leftDescriptors, grownKb: readResidentKb(pid) - before, pings, faults };
}

async function askPing(port: number): Promise<number | string> {
  try {
    const client = await QvdClient.open(port);
    client.send("GET /qvd/ping HTTP/1.1\r\n\r\n");
    const { status } = await client.answer(ANSWER_MS);
    client.close();
    return status;
  } catch (error) {
    return String(error);
  }
}

async function visitOverTls(port: number, random: Random): Promise<void> {
  const client = await QvdClient.open(port);
  client.send(mutate(HEADS, random));
  await leave(client, random);
}

async function visitInClear(port: number, random: Random): Promise<void> {
  const socket = await Bun.connect<undefined>({
    hostname: "127.0.0.1",
    port,
    allowHalfOpen: true,
    data: undefined,
    socket: { data() {}, error() {} },
  });
  socket.write(random() < 0.5 ? TLS_HELLO : mutate(PROXY_HEADERS, random));
  await leave(
    { close: () => socket.end(), terminate: () => socket.terminate(), shutdown: () => socket.shutdown() },
    random,
  );
}

/** The beginning of a handshake that is never gone on with. */
const TLS_HELLO = Buffer.from("16030102000100", "hex");
