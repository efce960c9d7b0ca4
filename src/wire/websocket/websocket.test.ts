import { describe, expect, test } from "bun:test";
import { CLOSE, formatClose, formatFrame, OPCODE } from "./frame.ts";
import { formatSwitching, parseHandshake } from "./handshake.ts";
import { MessageReader, type WebSocketMessage } from "./message-reader.ts";

const MOST = 100_000;
const MASK = [0x12, 0x34, 0x56, 0x78];

type Part = { readonly opcode: number; readonly payload: Uint8Array; readonly isFinal?: boolean };

/** As a browser writes it. */
function masked({ opcode, payload, isFinal = true }: Part): Buffer {
  const frame = formatFrame(opcode, payload);
  const head = Buffer.from(frame.subarray(0, frame.length - payload.length));
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = (head[1] ?? 0) | 0x80;
  const body = Buffer.from(payload.map((byte, i) => byte ^ (MASK[i & 3] ?? 0)));
  return Buffer.concat([head, Buffer.from(MASK), body]);
}

/** Copies, as what is read is good until the next is. */
function read(chunks: readonly Uint8Array[], most = MOST): WebSocketMessage[] {
  const reader = new MessageReader(most);
  return chunks.flatMap((chunk) =>
    reader
      .push(Uint8Array.from(chunk))
      .map((one) => ("bytes" in one ? { ...one, bytes: Uint8Array.from(one.bytes) } : one)),
  );
}

const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
const text = (words: string) => masked({ opcode: OPCODE.text, payload: Buffer.from(words) });

describe("what a browser says", () => {
  test.each([0, 1, 125, 126, 65_535, 65_536, MOST])("is read whole: %d bytes", (length) => {
    const payload = bytesOf(length);
    expect(read([masked({ opcode: OPCODE.binary, payload })])).toEqual([{ kind: "binary", bytes: payload }]);
  });

  test("is the same wherever it was cut", () => {
    const all = Buffer.concat([
      text("größer"),
      masked({ opcode: OPCODE.binary, payload: bytesOf(300), isFinal: false }),
      masked({ opcode: OPCODE.ping, payload: Buffer.from("there?") }),
      masked({ opcode: OPCODE.more, payload: bytesOf(0), isFinal: false }),
      masked({ opcode: OPCODE.more, payload: bytesOf(40) }),
      masked({ opcode: OPCODE.text, payload: bytesOf(0) }),
      masked({ opcode: OPCODE.pong, payload: bytesOf(0) }),
      masked({ opcode: OPCODE.close, payload: Buffer.of(3, 232) }),
    ]);
    const said = read([all]);
    expect(said).toEqual([
      { kind: "text", text: "größer" },
      { kind: "ping", bytes: Uint8Array.from(Buffer.from("there?")) },
      { kind: "binary", bytes: Uint8Array.from([...bytesOf(300), ...bytesOf(40)]) },
      { kind: "text", text: "" },
      { kind: "pong", bytes: new Uint8Array() },
      { kind: "close" },
    ]);
    for (let size = 1; size < 40; size++) {
      const chunks = [];
      for (let at = 0; at < all.length; at += size) chunks.push(all.subarray(at, at + size));
      expect(read(chunks)).toEqual(said);
    }
  });

  test.each([
    ["an unmasked frame", formatFrame(OPCODE.text, Buffer.from("a")), CLOSE.protocol],
    ["a reserved bit", Buffer.concat([Buffer.of(0xc2), text("a").subarray(1)]), CLOSE.protocol],
    ["an unknown kind", masked({ opcode: 3, payload: bytesOf(1) }), CLOSE.protocol],
    ["an unknown kind about the connection", masked({ opcode: 11, payload: bytesOf(1) }), CLOSE.protocol],
    ["a ping in parts", masked({ opcode: OPCODE.ping, payload: bytesOf(1), isFinal: false }), CLOSE.protocol],
    ["a long ping", masked({ opcode: OPCODE.ping, payload: bytesOf(126) }), CLOSE.protocol],
    ["the rest of nothing", masked({ opcode: OPCODE.more, payload: bytesOf(1) }), CLOSE.protocol],
    [
      "a message within another",
      Buffer.concat([masked({ opcode: OPCODE.text, payload: bytesOf(1), isFinal: false }), text("b")]),
      CLOSE.protocol,
    ],
    ["what is too large", masked({ opcode: OPCODE.binary, payload: bytesOf(MOST + 1) }), CLOSE.tooLarge],
    ["no text", masked({ opcode: OPCODE.text, payload: Buffer.of(0xc3) }), CLOSE.notText],
  ])("ends with %s, and nothing after it is read", (_what, bytes, code) => {
    expect(read([bytes, text("more")])).toEqual([{ kind: "fault", code }]);
  });

  test("goes on as one where binary messages came side by side", () => {
    const one = (length: number) => masked({ opcode: OPCODE.binary, payload: bytesOf(length) });
    const all = [one(3), one(0), one(70_000), text("between"), one(2), one(200)];
    expect(read([Buffer.concat(all)])).toEqual([
      { kind: "binary", bytes: Uint8Array.from([...bytesOf(3), ...bytesOf(70_000)]) },
      { kind: "text", text: "between" },
      { kind: "binary", bytes: Uint8Array.from([...bytesOf(2), ...bytesOf(200)]) },
    ]);
    const [first = one(1), ...rest] = all;
    const cut = [first.subarray(0, 8), Buffer.concat([first.subarray(8), ...rest])];
    const joined = read(cut).flatMap((message) => (message.kind === "binary" ? [...message.bytes] : []));
    expect(joined).toEqual([3, 70_000, 2, 200].flatMap((length) => [...bytesOf(length)]));
  });

  test("is no more in one read than a hand at work makes", () => {
    const many = (count: number) => {
      const frame = masked({ opcode: OPCODE.binary, payload: bytesOf(1) });
      return Buffer.concat(Array.from({ length: count }, () => frame));
    };
    const said = read([many(8_192), many(8_192)]);
    expect(said.map((one) => one.kind === "binary" && one.bytes.length)).toEqual([8_192, 8_192]);
    expect(read([many(8_193), many(1)]).slice(1)).toEqual([{ kind: "fault", code: CLOSE.tooMany }]);
  });

  test("is too large by its head, also with what came before, so that nobody keeps it", () => {
    const head = masked({ opcode: OPCODE.binary, payload: bytesOf(MOST + 1) }).subarray(0, 14);
    expect(read([head])).toEqual([{ kind: "fault", code: CLOSE.tooLarge }]);
    const parts = [OPCODE.binary, OPCODE.more].map((opcode) =>
      masked({ opcode, payload: bytesOf(60), isFinal: false }),
    );
    expect(read(parts, 100)).toEqual([{ kind: "fault", code: CLOSE.tooLarge }]);
  });
});

test.each([
  [125, 2],
  [126, 4],
  [65_535, 4],
  [65_536, 10],
])("a frame of %d bytes has a head of %d, and its length in it", (length, head) => {
  const frame = formatFrame(OPCODE.binary, bytesOf(length));
  expect(frame.length).toBe(head + length);
  const [, short = 0] = frame;
  const told = head === 2 ? short : head === 4 ? frame.readUInt16BE(2) : frame.readUInt32BE(6);
  expect([frame[0], told]).toEqual([0x82, length]);
  expect(formatClose(CLOSE.tooLarge)).toEqual(Buffer.of(0x88, 2, 0x03, 0xf1));
});

describe("a request", () => {
  const asked = {
    Connection: "keep-alive, Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const request = (headers: Record<string, string>, method = "GET") =>
    new Request("https://desk.example/", { method, headers: { ...asked, ...headers } });

  test("for a WebSocket is answered as RFC 6455 has it", () => {
    expect(parseHandshake(request({}))).toBe(asked["Sec-WebSocket-Key"]);
    expect(formatSwitching(asked["Sec-WebSocket-Key"]).toString()).toEndWith(
      "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    );
  });

  test.each([
    [{ Upgrade: "h2c" }, "GET"],
    [{ Connection: "close" }, "GET"],
    [{ "Sec-WebSocket-Version": "8" }, "GET"],
    [{ "Sec-WebSocket-Key": "short" }, "GET"],
    [{}, "POST"],
  ])("with %p by %s is for none", (headers, method) => {
    expect(parseHandshake(request(headers as Record<string, string>, method))).toBeUndefined();
  });
});
