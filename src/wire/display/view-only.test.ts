import { describe, expect, test } from "bun:test";
import { createRandom } from "../../../test/support/random.ts";
import { ViewOnly } from "./view-only.ts";

const GREETING = Buffer.concat([Buffer.from("RFB 003.008\n"), Buffer.from([1, 1])]);
const message = (type: number, ...rest: readonly number[]) => Buffer.from([type, ...rest]);
const fill = (type: number, bytes: number) => Buffer.alloc(bytes, type);

const PASSED = {
  SetPixelFormat: fill(0, 20),
  SetEncodings: message(2, 0, 0, 2, ...[0, 0, 0, 7], ...[255, 255, 255, 17]),
  FramebufferUpdateRequest: message(3, 1, 0, 0, 0, 0, 4, 0, 3, 0),
  EnableContinuousUpdates: message(150, 1, 0, 0, 0, 0, 4, 0, 3, 0),
  ClientFence: message(248, 0, 0, 0, 128, 0, 0, 1, 3, 9, 9, 9),
} as const;
const DROPPED = {
  "a key": message(4, 1, 0, 0, 0, 0, 0, 97),
  "the pointer": message(5, 1, 0, 10, 0, 10),
  "copied text": message(6, 0, 0, 0, 0, 0, 0, 3, 97, 98, 99),
  "an extended clipboard": message(6, 0, 0, 0, 255, 255, 255, 252, 1, 0, 0, 1),
  "a command to the machine": message(250, 0, 1, 2),
  "another size": message(251, 0, 4, 0, 3, 0, 1, 0, ...Array.from({ length: 16 }, () => 1)),
  "QEMU's key": message(255, 0, 0, 1, 0, 0, 0, 97, 0, 0, 0, 30),
} as const;

function watch(bytes: Uint8Array, cut: (left: number) => number = (left) => left): Buffer | undefined {
  const filter = new ViewOnly();
  const passed: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, Math.min(cut(bytes.length - at), bytes.length - at));
    const out = filter.filter(bytes.subarray(at, at + size));
    if (out === undefined) return undefined;
    passed.push(Uint8Array.from(out));
    at += size;
  }
  return Buffer.concat(passed);
}

describe("who may only look", () => {
  for (const [name, bytes] of Object.entries(PASSED))
    test(`says ${name}`, () => {
      expect(watch(Buffer.concat([GREETING, bytes]))).toEqual(Buffer.concat([GREETING, bytes]));
    });
  for (const [name, bytes] of Object.entries(DROPPED))
    test(`doesn't send ${name}`, () => {
      const after = PASSED.FramebufferUpdateRequest;
      expect(watch(Buffer.concat([GREETING, bytes, after]))).toEqual(Buffer.concat([GREETING, after]));
    });

  test("is shown nothing more after words that nobody knows", () => {
    expect(watch(Buffer.concat([GREETING, message(77, 1, 2, 3)]))).toBeUndefined();
  });

  for (const [what, greeting] of [
    ["an older version, whose greeting is shorter", "RFB 003.003\n\x01"],
    ["3.7", "RFB 003.007\n\x01\x01"],
    ["Apple's version", "RFB 003.889\n\x01\x01"],
    ["another kind of security", "RFB 003.008\n\x02\x01"],
  ] as const)
    test(`is shown nothing in ${what}, however it is cut`, () => {
      const bytes = Buffer.concat([Buffer.from(greeting, "latin1"), DROPPED["the pointer"]]);
      expect(watch(bytes)).toBeUndefined();
      expect(watch(bytes, () => 1)).toBeUndefined();
    });

  test("says much at once, and it goes on as the piece that it was", () => {
    const filter = new ViewOnly();
    filter.filter(GREETING);
    const said = Buffer.concat(Array.from({ length: 500 }, () => Object.values(PASSED)).flat());
    const passed = filter.filter(said);
    expect(passed?.buffer).toBe(said.buffer);
    expect(passed).toHaveLength(said.length);
  });

  test("touches nothing however its bytes are cut", () => {
    const random = createRandom(7);
    const all: readonly Uint8Array[] = [...Object.values(PASSED), ...Object.values(DROPPED)];
    for (let round = 0; round < 300; round++) {
      const said = Array.from({ length: 30 }, () => all[Math.floor(random() * all.length)] ?? GREETING);
      const allowed = said.filter((one) => (Object.values(PASSED) as readonly unknown[]).includes(one));
      const expected = Buffer.concat([GREETING, ...allowed]);
      expect(watch(Buffer.concat([GREETING, ...said]), () => Math.ceil(random() * 9))).toEqual(expected);
    }
  });
});
