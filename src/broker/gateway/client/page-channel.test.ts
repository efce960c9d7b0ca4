/** What a page says on its WebSocket, in how many messages, and when it gives the line up. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { waitFor } from "../../../lib/wait.ts";

type Channel = {
  send(bytes: Uint8Array): void;
  say(message: unknown): void;
  close(): void;
};
type ChannelOf = new (
  address: string,
  on: { readonly onText: (message: unknown) => void; readonly onEnd: () => void; readonly lookMs?: number },
) => Channel;

type Socket = { onmessage: ((event: { readonly data: string }) => void) | null };

const sent: string[] = [];
let socket: Socket;
const STAND_INS = {
  WebSocket: class implements Socket {
    static readonly OPEN = 1;
    readyState = 1;
    onmessage: Socket["onmessage"] = null;
    onclose: (() => void) | null = null;

    constructor() {
      socket = this;
    }

    send(data: string | Uint8Array): void {
      sent.push(typeof data === "string" ? data : [...data.subarray(0, 8)].join(" "));
    }

    close(): void {
      this.readyState = 2;
      sent.push("closed");
    }
  },
};
const before = globalThis.WebSocket;

beforeAll(() => void Object.assign(globalThis, STAND_INS));
afterAll(() => void Object.assign(globalThis, { WebSocket: before }));

const heard: string[] = [];

/** Never looks whether the line is there, unless told. */
async function open(lookMs = 3_600_000): Promise<Channel> {
  const path = `${import.meta.dir}/page-channel.js`;
  const { PageChannel }: { readonly PageChannel: ChannelOf } = await import(path);
  sent.length = 0;
  heard.length = 0;
  const onText = (message: unknown) => void heard.push(JSON.stringify(message));
  return new PageChannel("wss://desk.example/", { onText, onEnd: () => void heard.push("end"), lookMs });
}

const PING = '{"type":"ping"}';
const say = (message: unknown) => socket.onmessage?.({ data: JSON.stringify(message) });
const pings = () => sent.filter((words) => words === PING).length;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test("what is said in one turn is one message, whatever becomes of the bytes, and the next turn's another", async () => {
  const channel = await open();
  const bytes = Uint8Array.of(1, 2);
  channel.send(bytes);
  bytes.fill(3);
  channel.send(bytes);
  expect(sent).toEqual([]);
  await nextTurn();
  channel.send(Uint8Array.of(4));
  await nextTurn();
  expect(sent).toEqual(["1 2 3 3", "4"]);
});

test("messages and the end come after what was said before them", async () => {
  const channel = await open();
  channel.send(Uint8Array.of(1));
  channel.say({ type: "resize" });
  channel.send(Uint8Array.of(2));
  channel.close();
  channel.send(Uint8Array.of(3));
  await nextTurn();
  expect(sent).toEqual(["1", '{"type":"resize"}', "2", "closed"]);
});

test("much in one turn goes in several messages, in its order", async () => {
  const channel = await open();
  for (const [first, length] of [
    [1, 10_000],
    [2, 10_000],
    [3, 40_000],
    [4, 1],
  ] as const)
    channel.send(new Uint8Array(length).fill(first));
  await nextTurn();
  expect(sent.map((words) => words[0])).toEqual(["1", "2", "3", "4"]);
});

test("a gateway that has answered once and says nothing more is lost, and one that answers is not", async () => {
  await open(5);
  let answered = 0;
  const answer = setInterval(() => {
    for (; answered < pings(); answered++) say({ type: "pong" });
  }, 1);
  expect(await waitFor(() => pings() >= 3, { timeoutMs: 5_000, everyMs: 1 })).toBe(true);
  await waitFor(() => false, { timeoutMs: 100 });
  expect(heard).toEqual([]);
  clearInterval(answer);
  expect(await waitFor(() => heard.includes("end"), { timeoutMs: 5_000, everyMs: 1 })).toBe(true);
  expect(sent.at(-1)).toBe("closed");
  // What comes all the same is nobody's.
  say({ type: "ready" });
  expect(heard).toEqual(["end"]);
});

test("a gateway of before, which answers nothing, is not lost by that", async () => {
  const channel = await open(5);
  expect(await waitFor(() => pings() >= 10, { timeoutMs: 5_000, everyMs: 1 })).toBe(true);
  expect(heard).toEqual([]);
  channel.close();
});
