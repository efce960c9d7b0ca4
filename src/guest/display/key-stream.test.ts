import { describe, expect, test } from "bun:test";
import { KeyStream } from "./key-stream.ts";

const GREETING = Buffer.from("RFB 003.008\n\x01\x01", "latin1");
const ENE = 0xf1;
const SHIFT = 0xffe1;

function key(keysym: number, isDown = true): Buffer {
  const message = Buffer.alloc(8);
  message.writeUInt8(4, 0);
  message.writeUInt8(isDown ? 1 : 0, 1);
  message.writeUInt32BE(keysym, 4);
  return message;
}

function qemuKey(keysym: number): Buffer {
  const message = Buffer.alloc(12);
  message.writeUInt8(255, 0);
  message.writeUInt16BE(1, 2);
  message.writeUInt32BE(keysym, 4);
  return message;
}

const POINTER = Buffer.from([5, 0, 0, 10, 0, 10]);

/** ñ waits until it is let go. */
function openStream() {
  const sent: Uint8Array[] = [];
  const asked: [number, boolean][] = [];
  const found = Promise.withResolvers<void>();
  let hasGivenUp = false;
  const stream = new KeyStream({
    keys: {
      ensure: (keysym, hasShift) => {
        asked.push([keysym, hasShift]);
        return keysym === ENE ? found.promise : undefined;
      },
    },
    send: (bytes) => void sent.push(Uint8Array.from(bytes)),
    giveUp: () => {
      hasGivenUp = true;
    },
  });
  return { stream, asked, found, sent: () => Buffer.concat(sent), hasGivenUp: () => hasGivenUp };
}

describe("what a viewer says", () => {
  test("passes unchanged in whatever pieces it comes", () => {
    const said = Buffer.concat([GREETING, POINTER, key(0x61), key(0x61, false), qemuKey(0x62), POINTER]);
    for (const size of [1, 3, 7, said.length]) {
      const { stream, sent, asked } = openStream();
      for (let at = 0; at < said.length; at += size) stream.data(said.subarray(at, at + size));
      expect(sent()).toEqual(said);
      expect(asked).toEqual([
        [0x61, false],
        [0x62, false],
      ]);
    }
  });

  test("waits behind a letter without a key, and then comes in order", async () => {
    const { stream, sent, found } = openStream();
    stream.data(Buffer.concat([GREETING, POINTER, key(ENE), key(ENE, false)]));
    stream.data(POINTER);
    expect(sent()).toEqual(Buffer.concat([GREETING, POINTER]));
    found.resolve();
    await found.promise;
    await Promise.resolve();
    expect(sent()).toEqual(Buffer.concat([GREETING, POINTER, key(ENE), key(ENE, false), POINTER]));
  });

  test("goes on where no key could be had", async () => {
    const { stream, sent, found } = openStream();
    stream.data(Buffer.concat([GREETING, key(ENE), POINTER]));
    found.reject(new Error("no"));
    await Promise.allSettled([found.promise]);
    expect(sent()).toEqual(Buffer.concat([GREETING, key(ENE), POINTER]));
  });

  test("tells whether Shift is held", () => {
    const { stream, asked } = openStream();
    stream.data(Buffer.concat([GREETING, key(SHIFT), key(0x41), key(SHIFT, false), key(0x61)]));
    expect(asked.filter(([keysym]) => keysym !== SHIFT)).toEqual([
      [0x41, true],
      [0x61, false],
    ]);
  });

  test.each([
    ["of another version", Buffer.from("RFB 003.003\n\x01\x04\x01\x00\x00\x00\x00\x00\xf1", "latin1")],
    ["with a message that is not known", Buffer.concat([GREETING, Buffer.from([77]), key(ENE)])],
  ])("passes unread %s", (_why, said) => {
    const { stream, sent, asked } = openStream();
    stream.data(said);
    stream.data(key(ENE));
    expect(sent()).toEqual(Buffer.concat([said, key(ENE)]));
    expect(asked).toEqual([]);
  });

  test.each([
    ["as text", 0x7fffffff],
    ["of the extended clipboard", -0x80000000],
  ])("passes as it comes however long it says that it is, %s", (_what, length) => {
    const { stream, sent, hasGivenUp } = openStream();
    const head = Buffer.alloc(8, 6);
    head.writeInt32BE(length, 4);
    const said = [GREETING, head, Buffer.alloc(3 * 1024 * 1024)];
    for (const [index, piece] of said.entries()) {
      stream.data(piece);
      expect(sent().length).toBe(Buffer.concat(said.slice(0, index + 1)).length);
    }
    expect(hasGivenUp()).toBe(false);
  });

  test("has its keys read behind a text, in whatever pieces that comes", () => {
    const text = Buffer.concat([
      Buffer.from([6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf7]),
      key(ENE),
      POINTER.subarray(0, 1),
    ]);
    const said = Buffer.concat([GREETING, text, key(0x61)]);
    for (const size of [1, 5, said.length]) {
      const { stream, sent, asked } = openStream();
      for (let at = 0; at < said.length; at += size) stream.data(said.subarray(at, at + size));
      expect(sent()).toEqual(said);
      expect(asked).toEqual([[0x61, false]]);
    }
  });

  test("is given up when too much waits", () => {
    const { stream, hasGivenUp } = openStream();
    stream.data(Buffer.concat([GREETING, key(ENE)]));
    stream.data(new Uint8Array(2 * 1024 * 1024));
    expect(hasGivenUp()).toBe(true);
  });
});
