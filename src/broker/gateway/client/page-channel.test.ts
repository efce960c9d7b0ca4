/** What a page says on its WebSocket, and in how many messages. */

import { afterAll, beforeAll, expect, test } from "bun:test";

type Channel = {
  send(bytes: Uint8Array): void;
  say(message: unknown): void;
  close(): void;
};
type ChannelOf = new (
  address: string,
  on: { readonly onText: () => void; readonly onEnd: () => void },
) => Channel;

const sent: string[] = [];
const STAND_INS = {
  WebSocket: class {
    static readonly OPEN = 1;
    readyState = 1;

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

async function open(): Promise<Channel> {
  const path = `${import.meta.dir}/page-channel.js`;
  const { PageChannel }: { readonly PageChannel: ChannelOf } = await import(path);
  sent.length = 0;
  return new PageChannel("wss://desk.example/", { onText: () => {}, onEnd: () => {} });
}

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
