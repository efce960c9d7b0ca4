import { describe, expect, test } from "bun:test";
import { parseProxyHeader } from "./proxy-header.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const binary = (rest: string) => Buffer.from(SIGNATURE + rest, "hex");
const V4 = "2111000cc63364070a0000018ae201bb";
const V6 = `21210024${"20010db8000000000000000000000007"}${"20010db8000000000000000000000001"}8ae201bb`;

describe("a header of version 2", () => {
  test("names the client of a TCP connection, in either family", () => {
    expect(parseProxyHeader(binary(V4))).toEqual({
      kind: "header",
      clientAddress: "198.51.100.7",
      length: 28,
    });
    expect(parseProxyHeader(binary(V6))).toEqual({
      kind: "header",
      clientAddress: "2001:db8::7",
      length: 52,
    });
  });

  test("leaves what follows to its reader", () => {
    expect(parseProxyHeader(Buffer.concat([binary(V4), Buffer.from("GET /")]))).toMatchObject({ length: 28 });
  });

  test("may carry notes, which are skipped", () => {
    const withNotes = binary("21110013c63364070a0000018ae201bb03000401020304");
    expect(parseProxyHeader(withNotes)).toMatchObject({ clientAddress: "198.51.100.7", length: 35 });
  });

  test("speaks for the balancer itself when it says LOCAL", () => {
    expect(parseProxyHeader(binary("20000000"))).toEqual({
      kind: "header",
      clientAddress: undefined,
      length: 16,
    });
  });

  test("is waited for byte by byte", () => {
    const whole = binary(V4);
    for (let length = 0; length < whole.length; length++)
      expect(parseProxyHeader(whole.subarray(0, length))).toEqual({ kind: "more" });
  });

  test.each([
    ["another version", "1111000cc63364070a0000018ae201bb"],
    ["another command", "2211000cc63364070a0000018ae201bb"],
    ["a datagram", "2112000cc63364070a0000018ae201bb"],
    ["no family", "21000000"],
    ["an address cut short", "21110004c6336407"],
    ["more notes than anybody sends", "2111ffff"],
  ])("is refused with %s", (_, rest) => {
    expect(parseProxyHeader(binary(rest))).toMatchObject({ kind: "fault" });
  });
});

describe("a header of version 1", () => {
  test("names the client", () => {
    const line = "PROXY TCP4 198.51.100.7 10.0.0.1 35554 443\r\n";
    expect(parseProxyHeader(Buffer.from(`${line}rest`))).toEqual({
      kind: "header",
      clientAddress: "198.51.100.7",
      length: line.length,
    });
    expect(parseProxyHeader(Buffer.from("PROXY TCP6 2001:DB8::7 ::1 1 2\r\n"))).toMatchObject({
      clientAddress: "2001:db8::7",
    });
    for (const mapped of ["::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:c000:0201"])
      expect(parseProxyHeader(Buffer.from(`PROXY TCP6 ${mapped} ::1 1 2\r\n`))).toMatchObject({
        clientAddress: "192.0.2.1",
      });
    expect(parseProxyHeader(Buffer.from("PROXY UNKNOWN\r\n"))).toMatchObject({ clientAddress: undefined });
  });

  test.each([
    "PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
    "PROXY TCP4 198.51.100.7 10.0.0.1 35554\r\n",
    "PROXY TCP4 198.51.100.7 10.0.0.1 x 443\r\n",
    "PROXY UDP4 198.51.100.7 10.0.0.1 1 2\r\n",
    `PROXY TCP4 ${"1".repeat(120)}`,
  ])("is refused when it is none: %p", (line) => {
    expect(parseProxyHeader(Buffer.from(line))).toMatchObject({ kind: "fault" });
  });
});

test("anything else is refused at its first byte that differs", () => {
  expect(parseProxyHeader(Buffer.from([0x16, 3, 1]))).toMatchObject({ kind: "fault" });
  expect(parseProxyHeader(Buffer.from("\r\n\r\nGET"))).toMatchObject({ kind: "fault" });
  expect(parseProxyHeader(Buffer.from("PROXX"))).toMatchObject({ kind: "fault" });
});
