import { expect, test } from "bun:test";
import { constants, inflateSync } from "node:zlib";
import { randomFrom } from "../../../test/support/drawn-screen.ts";
import { ZlibStream } from "./zlib-stream.ts";

const SMALL = Buffer.from("text that comes again and again");

/** Nothing of it can be packed. */
function noise(length: number): Buffer {
  const random = randomFrom(5);
  return Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * 256)));
}

/** As a viewer does with a stream that goes on. */
function unpack(packed: readonly Buffer[]): Buffer {
  return inflateSync(Buffer.concat(packed), { finishFlush: constants.Z_SYNC_FLUSH });
}

test("what is small is packed at once, by what Bun has inside", () => {
  const stream = new ZlibStream(3);
  const packed = [SMALL, noise(65_536), SMALL, SMALL].map((bytes) => stream.pack(bytes));
  const buffers = packed.flatMap((one) => (one instanceof Promise ? [] : [one]));
  expect(buffers).toHaveLength(4);
  expect(unpack(buffers)).toEqual(Buffer.concat([SMALL, noise(65_536), SMALL, SMALL]));
  expect(buffers[3]?.length).toBeLessThan(buffers[0]?.length ?? 0);
  stream.close();
});

test("what comes behind something large waits for it, and may be written to meanwhile", async () => {
  const stream = new ZlibStream(3);
  const large = noise(200_000);
  const room = Buffer.from(SMALL);
  const packed = [stream.pack(SMALL), stream.pack(large), stream.pack(room)];
  room.fill(0);
  expect(packed.map((one) => one instanceof Promise)).toEqual([false, true, true]);
  const buffers = await Promise.all(packed);
  const last = await stream.pack(SMALL);
  expect(unpack([...buffers, last])).toEqual(Buffer.concat([SMALL, large, SMALL, SMALL]));
  stream.close();
});

test("nothing is packed for a viewer that has gone", () => {
  const stream = new ZlibStream(3);
  stream.close();
  expect(() => stream.pack(SMALL)).toThrow("has gone");
});
