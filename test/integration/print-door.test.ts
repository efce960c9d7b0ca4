/** What a desktop may ask of the PC's CUPS, by real HTTP; a real CUPS prints in test/system/connect-channels. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:http";
import { findPrintServer, openPrintDoor, type PrintDoor } from "../../src/client/channels/print-door.ts";

type Asked = { method: string; url: string; authorization: string | undefined; body: Buffer };

let cups: Server;
let door: PrintDoor;
let asked: Asked[] = [];
let status = 200;

beforeAll(async () => {
  cups = createServer(async (request, answer) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(Buffer.from(part));
    const { method = "", url = "", headers } = request;
    asked.push({ method, url, authorization: headers.authorization, body: Buffer.concat(parts) });
    answer.writeHead(status, { "content-type": "application/ipp" });
    answer.end("answer");
  });
  await new Promise<void>((resolve) => cups.listen(0, "127.0.0.1", resolve));
  const address = cups.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  door = await openPrintDoor({ host: "127.0.0.1", port: address.port });
});
afterAll(() => {
  door.close();
  cups.close();
});

/** An operation with one group of attributes, which is empty, and then the document. */
const ipp = (operation: number, document = "", group = 1) =>
  Buffer.concat([
    Buffer.of(2, 0, operation >> 8, operation & 255, 0, 0, 0, 1, group, 3),
    Buffer.from(document),
  ]);

async function ask(path: string, body: Uint8Array | undefined, headers: Record<string, string> = {}) {
  asked = [];
  const method = body === undefined ? "GET" : "POST";
  const type = { "content-type": "application/ipp", ...headers };
  const answer = await fetch(`http://127.0.0.1:${door.port}${path}`, {
    ...{ method, headers: type },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

describe("a desktop that prints", () => {
  const allowed: readonly [what: string, operation: number][] = [
    ["Print-Job", 0x0002],
    ["Create-Job", 0x0005],
    ["Send-Document", 0x0006],
    ["Get-Printer-Attributes", 0x000b],
    ["CUPS-Get-Printers", 0x4002],
  ];
  test.each(allowed)("may ask for %s", async (_what, operation) => {
    const body = ipp(operation, "x".repeat(200_000));
    expect(await ask("/printers/desk", body)).toEqual({ status: 200, text: "answer" });
    expect(asked[0]?.body.equals(body)).toBe(true);
  });

  test("may have a printer's description", async () => {
    expect((await ask("/printers/desk.ppd", undefined)).status).toBe(200);
  });

  test("is not asked to prove what nobody there can prove", async () => {
    status = 401;
    expect((await ask("/", ipp(0x0008))).status).toBe(403);
    status = 200;
  });
});

describe("a desktop that wants more than to print", () => {
  const refused: readonly [what: string, path: string, body: Uint8Array | undefined, answer: number][] = [
    ["what lies at an address, by Print-URI", "/printers/desk", ipp(0x0003), 403],
    ["Send-URI", "/printers/desk", ipp(0x0007), 403],
    ["a printer of its own", "/admin/", ipp(0x4003), 403],
    ["to pause a printer", "/printers/desk", ipp(0x0010), 403],
    ["news to be sent somewhere", "/", ipp(0x0016), 403],
    ["the devices of the PC", "/", ipp(0x400b), 403],
    ["an operation that is not invented yet", "/", ipp(0xffff), 403],
    ["a job that sends news somewhere", "/printers/desk", ipp(0x0002, "x", 6), 403],
    ["the same without its document", "/printers/desk", ipp(0x0005, "", 6), 403],
    ["a request cut short", "/", Buffer.of(2, 0, 0), 400],
    ["attributes cut short", "/", ipp(0x0002).subarray(0, -1), 400],
    ["CUPS's settings", "/admin/conf/cupsd.conf", undefined, 403],
    ["its pages", "/", undefined, 403],
    ["another path by its description's name", "/printers/../admin/log.ppd", undefined, 403],
  ];
  test.each(refused)("is refused: %s", async (_what, path, body, answer) => {
    expect((await ask(path, body)).status).toBe(answer);
    expect(asked).toEqual([]);
  });

  test("has its proofs left out", async () => {
    await ask("/", ipp(0x4001), { authorization: "PeerCred ann" });
    expect(asked[0]?.authorization).toBeUndefined();
  });

  test("is refused in another language", async () => {
    expect((await ask("/", ipp(0x0002), { "content-type": "text/plain" })).status).toBe(403);
  });
});

describe("the person's CUPS", () => {
  test("is the one that they named, or the machine's", () => {
    expect(findPrintServer({ CUPS_SERVER: "prints.example.org" })).toEqual({
      host: "prints.example.org",
      port: 631,
    });
    expect(findPrintServer({ CUPS_SERVER: "10.0.0.1:8631/version=1.1" })).toEqual({
      host: "10.0.0.1",
      port: 8631,
    });
    expect(findPrintServer({ CUPS_SERVER: "/run/mine" })).toEqual({ socketPath: "/run/mine" });
    expect(findPrintServer({}, "/proc/self")).toEqual({ socketPath: "/proc/self" });
  });

  test("that isn't there is missed by name", () => {
    expect(() => findPrintServer({}, "/nowhere/cups.sock")).toThrow(
      /no CUPS runs here \(\/nowhere\/cups.sock is missing\)/,
    );
  });
});
