/** What is sent to the browser's side of the QVD port, nearly right. Words in braces are filled in with what is good just then. */

import { formatFrame } from "../support/raw-browser.ts";
import type { Corpus } from "./mutate.ts";

const FORM = "Content-Type: application/x-www-form-urlencoded";
const PARTS = "Content-Type: multipart/form-data; boundary=b";
const OWN = "Host: {HOST}\r\nOrigin: https://{HOST}\r\nCookie: {COOKIE}\r\nX-CSRF-Token: {CSRF}";
const bytes = (text: string) => Buffer.from(text, "latin1");

function post(path: string, body: string, more: readonly string[] = []): string {
  return [`POST ${path} HTTP/1.1`, OWN, `Content-Length: ${body.length}`, ...more, "", body].join("\r\n");
}

const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\n${OWN}\r\n${more}\r\n`;

export const GATEWAY_REQUESTS: Corpus = {
  seeds: [
    get("/"),
    get("/sign-in?next=/desktop/1"),
    get("/static/none.css"),
    get("/desktop/1", "Accept: application/json\r\n"),
    get("/desktops", "HX-Request: true\r\n"),
    get("/desktop/1/files"),
    get("/desktop/1/files/a%20b.txt"),
    get("/sign-in/oidc?state=a.b.c&code=x", "Accept-Language: es\r\n"),
    get("/second-factor"),
    get("/unlock/begin"),
    post("/sign-in", "csrf={CSRF}&login=alice&password=secret&next=%2F", [FORM]),
    post("/sign-in", "csrf={CSRF}&login=alice&password=wrong&code=123456", [FORM]),
    post("/sign-in", '--b\r\nContent-Disposition: form-data; name="login"\r\n\r\nalice\r\n--b--\r\n', [
      PARTS,
    ]),
    post("/sign-in/set-up", "ticket=abc&code=123456", [FORM]),
    post("/desktop/1/ticket", ""),
    post("/desktop/1/files?name=a.txt", "what is in it"),
    post("/desktop/1/files?name=..%2F..%2Fetc", "x"),
    post("/second-factor/begin", "csrf={CSRF}", [FORM]),
    post("/second-factor/confirm", "csrf={CSRF}&ticket=a&code=1", [FORM]),
    "OPTIONS /desktop/1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
    "DELETE / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  ].map(bytes),
  spice: [
    ...["\0", "\n", "\r\n\r\n", " ", "%", "%00", "%2f..", "\xff", "\xc3\x28", '"', "<script>", "'", ";", ","],
    ...["Content-Length: 9\r\n", "Content-Length: -1\r\n", "Transfer-Encoding: chunked\r\n", "Host: \r\n"],
    ...["Expect: 100-continue\r\n", "Connection: close\r\n", "Connection: Upgrade\r\nUpgrade: websocket\r\n"],
    ...["Cookie: a=b\r\n", "__Host-qvd-user=", "csrf=", "&&&", "login=", "1e999", "x".repeat(9_000)],
  ],
};

/** Openings of a page's sockets, each wrong in something: none may succeed. */
export const GATEWAY_OPENINGS: readonly string[] = [
  "GET /desktop/1/ws?ticket=none HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://{HOST}\r\nCookie: {COOKIE}\r\n{UPGRADE}\r\n",
  "GET /desktop/1/sound?ticket={TICKET} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://elsewhere\r\nCookie: {COOKIE}\r\n{UPGRADE}\r\n",
  "GET /desktop/1/ws?ticket={TICKET} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://{HOST}\r\n{UPGRADE}\r\n",
  "GET /desktop/1/microphone?ticket={TICKET}x HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://{HOST}\r\nCookie: {COOKIE}\r\n{UPGRADE}\r\n",
  "GET /desktop/99999999999999999999/ws?ticket={TICKET} HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://{HOST}\r\nCookie: {COOKIE}\r\n{UPGRADE}\r\n",
  "GET /desktop/1/ws?ticket={TICKET}&ticket={TICKET} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {COOKIE}\r\n{UPGRADE}\r\n",
];

export const UPGRADE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n";

const text = (value: string) => formatFrame(1, Buffer.from(value));
const binary = (length: number) => formatFrame(2, Buffer.alloc(length, 7));

export const GATEWAY_FRAMES: Corpus = {
  seeds: [
    binary(10),
    binary(70_000),
    binary(200),
    text('{"type":"resize","width":800,"height":600}'),
    text('{"type":"clipboard","text":"\u00f1 \u6f22"}'),
    text('{"type":"invite","mayControl":true}'),
    text('{"type":"admit-visit","id":1}'),
    text(`[${"[".repeat(200)}`),
    formatFrame(9, Buffer.from("ping")),
    formatFrame(10, Buffer.alloc(125)),
    formatFrame(8, Buffer.from([3, 232])),
    // Fragments that begin, go on, and one that doesn't end.
    Buffer.concat([Buffer.from([1, 0x82, 0, 0, 0, 0, 65, 66]), Buffer.from([0x80, 0x81, 0, 0, 0, 0, 67])]),
    Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    Buffer.from([0xf2, 0x81, 0, 0, 0, 0, 1]),
    Buffer.from([0x82, 0x05, 1, 2, 3, 4, 5]),
    formatFrame(1, Buffer.from([0xff, 0xfe, 0xc3, 0x28])),
  ],
  spice: ["\0", "\x82", "\x81", "\x88\x80", "\xff\xff\xff\xff", '"type":', "{", "x".repeat(9_000)],
};
