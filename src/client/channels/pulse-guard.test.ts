import { describe, expect, test } from "bun:test";
import { formatCommand } from "./pulse-frames.ts";
import { PulseGuard } from "./pulse-guard.ts";

const INVALID = 0xffffffff;
const LOAD_MODULE = 51;
const ANY_TAG = 7;

type Heard = { guard: PulseGuard; server: Uint8Array[]; desktop: Uint8Array[] };

function listen(hasMicrophone = false): Heard {
  const [server, desktop]: [Uint8Array[], Uint8Array[]] = [[], []];
  const guard = new PulseGuard({
    hasMicrophone,
    toServer: (bytes) => void server.push(Buffer.from(bytes)),
    toDesktop: (bytes) => void desktop.push(Buffer.from(bytes)),
  });
  return { guard, server, desktop };
}

const hex = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString("hex");
const command = (number: number, ...words: readonly number[]) => formatCommand([number, ANY_TAG, ...words]);
const denied = formatCommand([0, ANY_TAG, 1]);

function sound(bytes: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32BE(bytes.length, 0);
  head.writeUInt32BE(3, 4);
  head.writeUInt32BE(flags >>> 0, 16);
  return Buffer.concat([head, bytes]);
}

/** A command of numbers and then these bytes. */
function withTail(number: number, tail: readonly number[]): Buffer {
  const start = command(number);
  const frame = Buffer.concat([start, Buffer.from(tail)]);
  frame.writeUInt32BE(frame.length - 20, 0);
  return frame;
}

const FORMAT = [0x61, 3, 1, 0, 0, 0x1f, 0x40];
const MONO = [0x6d, 1, 0];
const word = (value: number) => [0x4c, ...[24, 16, 8, 0].map((by) => (value >>> by) & 0xff)];
const NO_NAME = [0x4e];
const NAME = [0x74, ...Buffer.from("alsa_output.monitor\0")];
const CREATE_RECORD = 5;
const property = (key: string, value: string) => [
  ...[0x74, ...Buffer.from(`${key}\0`), ...word(value.length)],
  ...[0x78, ...word(value.length).slice(1), ...Buffer.from(value)],
];
const FLAGS = Array.from("000000001", (flag) => flag.charCodeAt(0));

/** What comes after the source's name: sizes, flags, properties, the program to listen to, and what later versions add. */
const rest = (input = INVALID, properties: readonly number[] = property("media.name", "call")) => [
  ...[...word(INVALID), 0x30, ...word(4096), ...FLAGS],
  ...[0x50, ...properties, 0x4e, ...word(input), 0x30],
];
const record = (tail: readonly number[]) =>
  withTail(CREATE_RECORD, [...FORMAT, ...MONO, ...word(INVALID), ...NO_NAME, ...tail]);
/** One length hides what the other would show: the end of the list and another program. */
const lying = [0x74, 0x78, 0, ...word(0), 0x78, ...word(7).slice(1), 0x4e, ...word(4), 0x30];
const aimed = (key: string) => [0x50, ...property(key, "1"), 0x4e];

describe("what a desktop asks of the sound server", () => {
  const cases: readonly [what: string, frame: Buffer, without: boolean, withMicrophone: boolean][] = [
    ["to play", command(3), true, true],
    ["who the server is", command(20), true, true],
    ["to load a module", command(LOAD_MODULE), false, false],
    ["to unload one", command(52, 1), false, false],
    ["all clients", command(28), false, false],
    ["all that plays", command(30), false, false],
    ["the volume of the loudspeaker", command(36, 0), false, false],
    ["to end another client", command(48, 1), false, false],
    ["to keep a sample", command(15), false, false],
    ["the server's end", command(7), false, false],
    ["memory to share", command(103), false, false],
    ["something that is not invented yet", command(9999), false, false],
    ["another's stream by its number", command(29, 4), false, false],
    ["to mute another", command(69, 4), false, false],
    ["a command without more", command(29), false, false],
    ["to record what is usual", record(rest()), false, true],
    ["to record without properties", record(rest(INVALID, [])), false, true],
    ["to record what one program plays", record(rest(4)), false, false],
    ["a property of two lengths", record(rest(INVALID, lying)), false, false],
    ["to record by an aim of PipeWire", record(rest(INVALID, property("target.object", "x"))), false, false],
    ["to record a sink", record(rest(INVALID, property("stream.capture.sink", "true"))), false, false],
    ["to record a monitor", record(rest(INVALID, property("stream.monitor", "true"))), false, false],
    ["to record another node", record(rest(INVALID, property("node.target", "40"))), false, false],
    ["to record, cut before the program", record(rest().slice(0, -6)), false, false],
    ["a name for itself", withTail(9, aimed("application.name")), true, true],
    ["a name with an aim for all its streams", withTail(9, aimed("stream.capture.sink")), false, false],
    ["properties with an aim", withTail(82, [...word(2), ...aimed("target.object")]), false, false],
    [
      "an aim for what it records",
      withTail(80, [...word(0), ...word(2), ...aimed("node.target")]),
      false,
      false,
    ],
    ["an aim for what it plays", withTail(3, aimed("stream.monitor")), false, false],
    [
      "to record what the loudspeaker plays",
      withTail(CREATE_RECORD, [...FORMAT, ...MONO, ...word(INVALID), ...NAME, ...rest()]),
      false,
      false,
    ],
    [
      "to record a source by its number",
      withTail(CREATE_RECORD, [...FORMAT, ...MONO, ...word(1), ...NO_NAME, ...rest()]),
      false,
      false,
    ],
    ["to record, cut short", withTail(CREATE_RECORD, FORMAT), false, false],
  ];
  test.each(cases)("%s", (_what, frame, without, withMicrophone) => {
    for (const [hasMicrophone, isAllowed] of [
      [false, without],
      [true, withMicrophone],
    ] as const) {
      const { guard, server, desktop } = listen(hasMicrophone);
      guard.fromDesktop(frame);
      expect(hex(server)).toEqual(isAllowed ? hex([frame]) : "");
      expect(hex(desktop)).toEqual(isAllowed ? "" : hex([denied]));
    }
  });

  test("its own stream may be made louder, and no other", () => {
    const { guard, server, desktop } = listen();
    guard.fromDesktop(command(3));
    // The stream's number, and the one by which the server knows it.
    guard.fromServer(formatCommand([2, ANY_TAG, 0, 41, 1000]));
    guard.fromDesktop(command(37, 41));
    guard.fromDesktop(command(37, 40));
    expect(server.length).toBe(2);
    expect(hex(desktop.slice(-1))).toBe(hex([denied]));
  });

  test("memory is never shared, whatever the version says of it", () => {
    const { guard, server } = listen();
    guard.fromDesktop(command(8, 0xc0000023));
    expect(hex(server).slice(-8)).toBe("00000023");
    expect(() => guard.fromDesktop(sound(Buffer.of(1), 0x80000000))).toThrow("shared memory");
  });
});

describe("sound", () => {
  test("passes as it is, however it is cut", () => {
    const all = Buffer.concat([command(3), sound(Buffer.from("waves")), sound(Buffer.alloc(0)), command(41)]);
    for (let size = 1; size <= all.length; size += 3) {
      const { guard, server } = listen();
      for (let at = 0; at < all.length; at += size) guard.fromDesktop(all.subarray(at, at + size));
      expect(hex(server)).toBe(hex([all]));
    }
  });

  test("from the server is not torn by a refusal", () => {
    const { guard, desktop } = listen(true);
    const frame = sound(Buffer.from("microphone"));
    guard.fromServer(frame.subarray(0, 24));
    guard.fromDesktop(command(LOAD_MODULE));
    expect(hex(desktop)).toBe(hex([frame.subarray(0, 24)]));
    guard.fromServer(frame.subarray(24));
    expect(hex(desktop)).toBe(hex([frame, denied]));
  });

  test("of another language ends it", () => {
    expect(() => listen().guard.fromDesktop(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))).toThrow();
    const long = sound(Buffer.alloc(0));
    long.writeUInt32BE(17 * 2 ** 20, 0);
    expect(() => listen().guard.fromDesktop(long)).toThrow("too long");
  });
});
