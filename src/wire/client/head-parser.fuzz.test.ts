import { expect, test } from "bun:test";
import { HeadParser } from "./head-parser.ts";
import { HEAD_LIMITS } from "./limits.ts";

/** Marsaglia's xorshift: the same inputs on every run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const SEEDS = [
  "GET /qvd/list_of_vm? HTTP/1.1\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\nAccept: application/json\r\n\r\n",
  "GET /qvd/connect_to_vm?id=1&qvd.client.keyboard=pc105/en HTTP/1.1\nConnection: Upgrade\nUpgrade: QVD/1.0\n\nNXPROXY",
  "\r\n\nGET https://h/qvd/ping?%41=%zz&a&a=+ HTTP/1.1\nA:\n b\n\tc \nContent-Length: 0\n\n",
  "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
];
const SPICE = ["\r", "\n", "\0", " ", "\t", ":", "%", "HTTP/1.1", "\xff", "?", "&", "=", "x".repeat(9000)];

function mutate(random: (below: number) => number): Buffer {
  let text = SEEDS[random(SEEDS.length)] ?? "";
  for (let changes = random(6); changes > 0; changes--) {
    const at = random(text.length + 1);
    const kind = random(4);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + 1 + random(8));
    else if (kind === 1) text = text.slice(0, at) + (SPICE[random(SPICE.length)] ?? "") + text.slice(at);
    else if (kind === 2) text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    else text = text.slice(0, at) + (SEEDS[random(SEEDS.length)] ?? "") + text.slice(at);
  }
  return Buffer.from(text, "latin1");
}

/** What a stream parses to when it is cut as `cut` says. */
function read(bytes: Buffer, cut: () => number): string {
  const parser = new HeadParser();
  const seen: unknown[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(bytes.length, start + Math.max(1, cut()));
    let rest: Uint8Array = bytes.subarray(start, end);
    while (rest.length > 0) {
      const parsed = parser.push(rest);
      if (parsed === undefined) break;
      if (parsed.kind === "fault") return JSON.stringify([...seen, parsed.fault]);
      seen.push([parsed.head.method, parsed.head.path, [...parsed.head.query], [...parsed.head.headers]]);
      rest = parsed.rest;
    }
    start = end;
  }
  return JSON.stringify(seen);
}

test("100,000 mutated inputs never throw, and mean the same however they are cut", () => {
  const random = randomFrom(20_241_121);
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutate(random);
    const whole = read(bytes, () => bytes.length);
    const cut = read(bytes, () => random(40));
    if (whole !== cut)
      expect({ round, input: bytes.toString("latin1"), cut }).toEqual({
        round,
        input: bytes.toString("latin1"),
        cut: whole,
      });
  }
}, 60_000);

test("an endless stream is refused within the limit, whatever it is made of", () => {
  const random = randomFrom(7);
  for (let round = 0; round < 2_000; round++) {
    const parser = new HeadParser();
    const piece = mutate(random).subarray(0, 300);
    let sent = 0;
    for (;;) {
      // Without a line end a head never ends, so only the limits can stop it.
      const part = Buffer.from(piece.toString("latin1").replaceAll("\n", ""), "latin1");
      const parsed = parser.push(part.length === 0 ? Buffer.from("x") : part);
      sent += Math.max(1, part.length);
      if (parsed !== undefined) break;
      expect(sent).toBeLessThanOrEqual(HEAD_LIMITS.headBytes);
    }
  }
});

test("a long run of refused heads leaves no memory behind", () => {
  const endless = Buffer.from(`GET /x HTTP/1.1\n${"A: b\n".repeat(20_000)}`);
  const round = () => {
    for (let n = 0; n < 500; n++) new HeadParser().push(endless);
    Bun.gc(true);
    return process.memoryUsage().heapUsed;
  };
  round();
  const before = round();
  for (let n = 0; n < 10; n++) round();
  expect(round() - before).toBeLessThan(4 << 20);
});
