import { describe, expect, test } from "bun:test";
import { type FromGuest, formatGuestMessage, GUEST_WIRE_VERSION } from "./messages.ts";
import { isGuestVersionSpoken, parseFromGuest } from "./parse-from-guest.ts";

const hello = {
  type: "hello",
  version: 1,
  attachment: "a".repeat(36),
  boot: "b".repeat(36),
  agentPid: 7,
} as const;

const GOOD: readonly FromGuest[] = [
  hello,
  { type: "beat", uptimeSeconds: 12.5, address: "10.77.1.10" },
  { type: "beat", uptimeSeconds: 0, address: null },
  { type: "session", state: "connected", session: 4 },
  { type: "session", state: "none", session: null },
  { type: "done", order: 1 },
  { type: "failed", order: 2, fault: "account-refused", text: "uid 0 is not for people" },
  { type: "powering-off" },
  { type: "unlock", request: 3, secret: "what was typed" },
  { type: "hook", hook: "pre-connect", text: "The hook ended with 3." },
  { type: "channel", channel: "sound", text: "the image has no pactl" },
];

describe("parseFromGuest", () => {
  for (const message of GOOD) {
    test(`takes ${JSON.stringify(message).slice(0, 60)}`, () => {
      expect(parseFromGuest(formatGuestMessage(message).trimEnd())).toEqual({ isGood: true, message });
    });
  }

  const bad: readonly (readonly [string, string])[] = [
    ["nothing", ""],
    ["no JSON", "hello"],
    ["a number", "7"],
    ["null", "null"],
    ["a list", "[]"],
    ["an unknown type", '{"type":"reboot-host"}'],
    ["no type", "{}"],
    ["a hook that isn't one", '{"type":"hook","hook":"rm -rf","text":"x"}'],
    ["a hook that says too much", JSON.stringify({ type: "hook", hook: "stop", text: "x".repeat(4097) })],
    ["a channel that isn't one", '{"type":"channel","channel":"camera","text":"x"}'],
    ["a further key", JSON.stringify({ type: "done", order: 1, extra: true })],
    ["a prototype key", '{"type":"done","order":1,"__proto__":{"x":1}}'],
    ["an order that is text", '{"type":"done","order":"1"}'],
    ["an order out of range", '{"type":"done","order":4294967296}'],
    ["an order below one", '{"type":"done","order":0}'],
    ["a broken number", '{"type":"done","order":1.5}'],
    ["an unknown state", '{"type":"session","state":"root","session":1}'],
    ["an unknown fault", '{"type":"failed","order":1,"fault":"evil","text":""}'],
    [
      "a text without end",
      JSON.stringify({ type: "failed", order: 1, fault: "bad-order", text: "x".repeat(5000) }),
    ],
    ["a secret without end", JSON.stringify({ type: "unlock", request: 1, secret: "x".repeat(1025) })],
    ["an address that is none", '{"type":"beat","uptimeSeconds":1,"address":"10.0.0.256"}'],
    ["an address with a tail", '{"type":"beat","uptimeSeconds":1,"address":"10.0.0.1;reboot"}'],
    ["a negative uptime", '{"type":"beat","uptimeSeconds":-1,"address":null}'],
    ["an attachment with odd characters", JSON.stringify({ ...hello, attachment: "../../../etc" })],
    ["an attachment without end", JSON.stringify({ ...hello, attachment: "a".repeat(65) })],
    ["deep nesting", "[".repeat(60_000)],
    ["a line over the bound", JSON.stringify({ type: "failed", text: "x".repeat(70_000) })],
  ];
  for (const [what, line] of bad) {
    test(`refuses ${what} and does not quote it`, () => {
      const parsed = parseFromGuest(line);
      expect(parsed.isGood).toBe(false);
      if (!parsed.isGood) expect(parsed.reason).toMatch(/^the (line|message) [a-zA-Z -]+$/);
    });
  }

  test("cleans text that ends in the trail", () => {
    const text = "bad\u0000 \u001b[31mred\n\nnext \ud800 \u202eevil";
    const parsed = parseFromGuest(JSON.stringify({ type: "failed", order: 1, fault: "bad-order", text }));
    expect(parsed.isGood && parsed.message.type === "failed" && parsed.message.text).toBe(
      "bad [31mred next \ufffd evil",
    );
  });

  test("keeps a long text to its beginning", () => {
    const text = "y".repeat(4000);
    const parsed = parseFromGuest(JSON.stringify({ type: "failed", order: 1, fault: "bad-order", text }));
    expect(parsed.isGood && parsed.message.type === "failed" && parsed.message.text.length).toBe(600);
  });

  test("speaks its own version and the one before", () => {
    const spoken = [-1, 0, 1, 2].map((step) => isGuestVersionSpoken(GUEST_WIRE_VERSION - step));
    expect(spoken).toEqual([false, true, true, false]);
  });

  test("never throws, and lets nothing but our own messages through, whatever comes", () => {
    const random = seeded(20_261_121);
    const known = new Set(GOOD.map((message) => message.type));
    for (let round = 0; round < 20_000; round++) {
      const parsed = parseFromGuest(mutate(random));
      if (parsed.isGood) expect(known.has(parsed.message.type)).toBe(true);
      else expect(parsed.reason.length).toBeLessThan(60);
    }
  });
});

/** A good line with some characters changed, left out, doubled or swapped for another message's. */
function mutate(random: () => number): string {
  const pick = <T>(list: readonly T[], fallback: T): T =>
    list[Math.floor(random() * list.length)] ?? fallback;
  let line = JSON.stringify(pick(GOOD, hello));
  for (let change = 0; change < 1 + random() * 4; change++) {
    const at = Math.floor(random() * line.length);
    const insert = pick(
      ['"', "{", "}", ",", "\\", "1e999", "null", "\u0000", String.fromCharCode(random() * 65_535)],
      "",
    );
    line = line.slice(0, at) + (random() < 0.7 ? insert : "") + line.slice(at + Math.floor(random() * 4));
  }
  return line;
}

/** Mulberry32: small and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
