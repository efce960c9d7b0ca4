/**
 * Where the session's print jobs come out of nxproxy: a port of this machine (a socket's file is removed by nxproxy itself),
 * with the PC's CUPS behind it. Only this user's programs are let in. A desktop may see the printers and hand in jobs. CUPS
 * can do far more for whoever may ask it (print what lies at an address, make printers and notifications), and it knows
 * this user by the socket; so operations, and what a job brings along, are let through by lists, and no proof of who asks is.
 */

import { existsSync } from "node:fs";
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { AppError } from "../../lib/errors.ts";
import { isOwnPeer } from "./own-peer.ts";
import { IPP_HEAD_BYTES, PrintAttributes } from "./print-request.ts";

type Env = Readonly<Record<string, string | undefined>>;

export type PrintServer = { readonly socketPath: string } | { readonly host: string; readonly port: number };
export type PrintDoor = { readonly port: number; readonly close: () => void };

/** RFC 8011, 5.4.15, and CUPS's own above 0x4000. */
const OPERATIONS = {
  "Print-Job": 0x0002,
  "Validate-Job": 0x0004,
  "Create-Job": 0x0005,
  "Send-Document": 0x0006,
  "Cancel-Job": 0x0008,
  "Get-Job-Attributes": 0x0009,
  "Get-Jobs": 0x000a,
  "Get-Printer-Attributes": 0x000b,
  "CUPS-Get-Default": 0x4001,
  "CUPS-Get-Printers": 0x4002,
  "CUPS-Get-Classes": 0x4005,
} as const;
const ALLOWED = new Set<number>(Object.values(OPERATIONS));
const IPP = "application/ipp";
const LOCAL_SOCKET = "/run/cups/cups.sock";
const IPP_PORT = 631;
/** While a printer takes nothing, a job stands still. */
const SILENCE_MS = 10 * 60_000;

/** The user's CUPS. Throws `driver-failed` when none is named and none is here. */
export function findPrintServer(env: Env, localSocket = LOCAL_SOCKET): PrintServer {
  const said = env.CUPS_SERVER ?? "";
  if (said.startsWith("/")) return { socketPath: said };
  if (said !== "") {
    const [, host = said, port] = /^(.*?)(?::(\d+))?$/.exec(said.replace(/\/version=.*$/, "")) ?? [];
    return { host, port: Number(port ?? IPP_PORT) };
  }
  if (existsSync(localSocket)) return { socketPath: localSocket };
  throw new AppError(
    "driver-failed",
    `no CUPS runs here (${localSocket} is missing): start it, name another by CUPS_SERVER, or leave --print out`,
  );
}

/** The door is the caller's to close. */
export async function openPrintDoor(target: PrintServer): Promise<PrintDoor> {
  const server = createServer((asked, answer) => {
    asked.on("error", () => answer.destroy());
    if (!isOwnPeer({ remotePort: asked.socket.remotePort, localPort: port })) return refuse(answer, 403);
    void handle(asked, answer, target);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a port has no number");
  const { port } = address;
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function handle(asked: IncomingMessage, answer: ServerResponse, target: PrintServer): Promise<void> {
  const { method, url = "" } = asked;
  if (method === "GET" && /^\/printers\/[^/?#]{1,200}\.ppd$/.test(url))
    return forward(asked, answer, { target });
  if (method !== "POST" || asked.headers["content-type"] !== IPP) return refuse(answer, 403);
  const head = await readStart(asked);
  if (typeof head === "number") return refuse(answer, head);
  forward(asked, answer, { target, head });
}

/** What of a request has come when it is known to be allowed, all attributes among it; or the status that refuses it. */
async function readStart(asked: IncomingMessage): Promise<Buffer | 400 | 403> {
  let held = Buffer.alloc(0);
  const attributes = new PrintAttributes();
  for (;;) {
    if (held.length >= IPP_HEAD_BYTES && !ALLOWED.has(held.readUInt16BE(2))) return 403;
    const verdict = attributes.judge(held);
    if (verdict === "refused") return 403;
    if (verdict === "allowed") return held;
    const chunk: Buffer | null = asked.read();
    if (chunk !== null) held = Buffer.concat([held, chunk]);
    else if (asked.readableEnded || asked.destroyed) return 400;
    else
      await new Promise<void>((resolve) => {
        const done = () => {
          for (const event of EVENTS) asked.off(event, done);
          resolve();
        };
        for (const event of EVENTS) asked.once(event, done);
      });
  }
}

const EVENTS = ["readable", "end", "close"] as const;

function forward(
  asked: IncomingMessage,
  answer: ServerResponse,
  { target, head }: { readonly target: PrintServer; readonly head?: Buffer },
): void {
  const { "content-type": type, "content-length": length, "accept-language": language } = asked.headers;
  const kept = {
    "content-type": type,
    "content-length": length,
    "accept-language": language,
    host: "localhost",
  };
  const headers = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  const further = ask({ ...target, method: asked.method, path: asked.url, headers, agent: false });
  further.setTimeout(SILENCE_MS, () => further.destroy());
  further.on("error", () => refuse(answer, 503));
  further.on("response", (given) => {
    const { "content-type": givenType = "text/plain" } = given.headers;
    // CUPS asks whoever lacks a right to prove themselves, and here nobody can.
    const status = given.statusCode === 401 ? 403 : (given.statusCode ?? 502);
    answer.writeHead(status, { "content-type": givenType });
    given.pipe(answer);
  });
  answer.on("close", () => further.destroy());
  if (head !== undefined) further.write(head);
  asked.pipe(further);
}

function refuse(answer: ServerResponse, status: number): void {
  if (answer.headersSent) return void answer.destroy();
  answer.writeHead(status, { "content-length": 0, connection: "close" });
  answer.end();
}
