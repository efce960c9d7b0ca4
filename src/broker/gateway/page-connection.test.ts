import { beforeEach, describe, expect, test } from "bun:test";
import { formatClose, formatFrame, OPCODE } from "../../wire/websocket/frame.ts";
import type { OwnedSocket } from "../socket.ts";
import { PageConnection } from "./page-connection.ts";
import type { PageSocketOwner } from "./page-socket.ts";

const LIMITS = { halfOpenMs: 5_000 };
const HELLO = Buffer.from("hello");
const room = Buffer.alloc(100);

/** Takes `room` bytes, and notes what becomes of it. */
class FakeSocket {
  room = Number.POSITIVE_INFINITY;
  readonly taken: Buffer[] = [];
  readonly done: string[] = [];

  write(bytes: Uint8Array): number {
    const count = Math.min(this.room, bytes.length);
    this.room -= count;
    this.taken.push(Buffer.from(bytes.subarray(0, count)));
    return count;
  }

  get text(): string {
    return Buffer.concat(this.taken).toString("latin1");
  }

  end = () => void this.done.push("end");
  shutdown = () => void this.done.push("shutdown");
  terminate = () => void this.done.push("terminate");
}

let socket: FakeSocket;
let heard: string[];
let owner: PageSocketOwner;

beforeEach(() => {
  socket = new FakeSocket();
  heard = [];
  owner = {
    onBinary: (chunk) => void heard.push(`binary ${Buffer.from(chunk)}`),
    onText: (text) => void heard.push(`text ${text}`),
    onDrain: () => void heard.push("drain"),
    onClose: () => void heard.push("close"),
  };
});

function open(unsent: readonly Uint8Array[] = []): PageConnection {
  const asSocket = socket as unknown as OwnedSocket;
  const page = new PageConnection(asSocket, { room, unsent, onGone: () => void heard.push("gone") });
  page.begin(HELLO, () => owner);
  return page;
}

/** With a mask of zeros. */
function said(opcode: number, words: string): Buffer {
  const payload = Buffer.from(words);
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

const frame = (opcode: number, words: string) => formatFrame(opcode, Buffer.from(words)).toString("latin1");

describe("a page's connection", () => {
  test("says first what was left unsent, then hello, then frames", () => {
    socket.room = 3;
    const page = open([Buffer.from("before ")]);
    expect(page.sendText("a")).toBeLessThan(0);
    expect(socket.text).toBe("");
    socket.room = 100;
    page.onDrain();
    expect(socket.text).toBe(`before hello${frame(OPCODE.text, "a")}`);
    expect(heard).toEqual(["drain"]);
    expect(page.sendBinary(Buffer.from("b"))).toBe(3);
  });

  test("passes on what the browser says, and answers its pings", () => {
    const page = open();
    page.onData(Buffer.concat([said(OPCODE.binary, "x"), said(OPCODE.ping, "p"), said(OPCODE.text, "y")]));
    expect(heard).toEqual(["binary x", "text y"]);
    expect(socket.text).toBe(`hello${frame(OPCODE.pong, "p")}`);
    page.onData(said(OPCODE.text, '{"type":"ping"}'));
    expect(socket.text).toEndWith(frame(OPCODE.text, '{"type":"pong"}'));
  });

  test("keeps what isn't taken up to a bound, and loses what is beyond it", () => {
    const page = open();
    socket.room = 0;
    const large = new Uint8Array(1024 * 1024);
    expect([1, 2, 3, 4, 5].map(() => Math.sign(page.sendBinary(large)))).toEqual([-1, -1, -1, 0, 0]);
  });

  test("goes once: its word is sent, then its end, and its owner is told at once", () => {
    const page = open();
    page.close();
    page.close();
    page.onData(said(OPCODE.text, "late"));
    expect(page.sendText("late")).toBe(0);
    expect(socket.text).toBe(`hello${formatClose(1000).toString("latin1")}`);
    expect(socket.done).toEqual(["shutdown"]);
    page.onEnd();
    page.onClose();
    expect(heard).toEqual(["close", "gone"]);
    expect(socket.done).toEqual(["shutdown", "end"]);
  });

  test("ends only when what it holds is sent", () => {
    const page = open();
    socket.room = 1;
    page.sendText("abc");
    page.close();
    expect(socket.done).toEqual([]);
    socket.room = 100;
    page.onDrain();
    expect(socket.done).toEqual(["shutdown"]);
    expect(heard).toEqual(["close"]);
  });

  test.each([
    ["says that it goes", said(OPCODE.close, ""), 1000],
    ["says what can't be", Buffer.of(0x80, 0x80, 0, 0, 0, 0), 1002],
  ])("goes when the browser %s", (_what, bytes, code) => {
    const page = open();
    page.onData(Buffer.concat([bytes, said(OPCODE.text, "late")]));
    expect(socket.text).toBe(`hello${formatClose(code).toString("latin1")}`);
    expect(heard).toEqual(["close"]);
  });

  test("tells an owner that closes it before it is there", () => {
    const page = new PageConnection(socket as unknown as OwnedSocket, { room, unsent: [], onGone: () => {} });
    page.begin(HELLO, (self) => {
      self.close();
      return owner;
    });
    expect(heard).toEqual(["close"]);
  });
});

describe("time", () => {
  const pings = () => socket.text.split(frame(OPCODE.ping, "")).length - 1;

  test("a silent browser is asked once, and dropped when it says nothing", () => {
    const page = open();
    for (let nowMs = 1_000; nowMs <= 60_000; nowMs += 1_000) page.expire(nowMs, LIMITS);
    expect([pings(), socket.done]).toEqual([1, []]);
    page.expire(61_000, LIMITS);
    expect(socket.done).toEqual(["terminate"]);
  });

  test("one that answers stays", () => {
    const page = open();
    for (let nowMs = 1_000; nowMs <= 300_000; nowMs += 1_000) {
      page.expire(nowMs, LIMITS);
      if (nowMs % 40_000 === 0) page.onData(said(OPCODE.pong, ""));
    }
    expect(socket.done).toEqual([]);
    expect(pings()).toBeGreaterThan(5);
  });

  test("one that doesn't go when told is dropped", () => {
    const page = open();
    page.close();
    for (const nowMs of [1_000, 5_000]) page.expire(nowMs, LIMITS);
    expect(socket.done).toEqual(["shutdown"]);
    page.expire(6_000, LIMITS);
    expect(socket.done).toEqual(["shutdown", "terminate"]);
  });
});
