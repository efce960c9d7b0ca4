/** What the inputs of each target are made from. */

import { formatJoinCode } from "../../src/wire/join/join-code.ts";
import { formatWake } from "../../src/wire/wake/messages.ts";
import type { Corpus } from "./mutate.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const WILD = [
  "\0",
  "\n",
  "\r",
  " ",
  "\t",
  "%",
  "\xff",
  "\xc3\x28",
  '"',
  "{",
  "[",
  "-1",
  "1e999",
  "x".repeat(9_000),
];

export const HEADS: Corpus = {
  seeds: [
    "GET /qvd/list_of_vm? HTTP/1.1\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\nAccept: application/json\r\n\r\n",
    "GET /qvd/connect_to_vm?id=1&qvd.client.keyboard=pc105/en&qvd.client.os=linux&qvd.client.geometry=1024x768 HTTP/1.1\nConnection: Upgrade\nUpgrade: QVD/1.0\n\nNXPROXY",
    "\r\n\nGET https://h/qvd/ping?%41=%zz&a&a=+ HTTP/1.1\nA:\n b\n\tc \nContent-Length: 0\n\n",
    "GET /qvd/stop_vm?id=9 HTTP/1.1\r\nAuthorization: Bearer c2VjcmV0\r\n\r\n",
    "POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  ].map(bytes),
  spice: [
    ...WILD,
    ":",
    "HTTP/1.1",
    "?",
    "&",
    "=",
    "qvd.client.link=",
    "Authorization: Basic ",
    ",accept=1.2.3.4",
  ],
};

const PROXY_V2 = bytes("\r\n\r\n\0\r\nQUIT\n");
export const PROXY_HEADERS: Corpus = {
  seeds: [
    Buffer.concat([PROXY_V2, bytes("\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\x30\x39\x20\xfb\x16\x03\x01")]),
    Buffer.concat([PROXY_V2, bytes(`\x21\x21\0\x24${"\x20\x01\x0d\xb8".padEnd(36, "\0")}`)]),
    Buffer.concat([PROXY_V2, bytes("\x20\0\0\0")]),
    bytes("PROXY TCP4 192.0.2.1 192.0.2.2 1234 8443\r\n\x16\x03"),
    bytes("PROXY TCP6 2001:db8::1 2001:db8::2 1234 8443\r\n"),
    bytes("PROXY UNKNOWN\r\n"),
  ],
  spice: [...WILD, "PROXY ", "TCP4", "TCP6", "UNKNOWN", "\r\n", "::", "255.255.255.255", "\xff\xff"],
};

export const GUEST_LINES: Corpus = {
  seeds: [
    '{"type":"hello","version":1,"attachment":"a1b2c3d4e5f6","boot":"0123456789ab","agentPid":7}',
    '{"type":"beat","uptimeSeconds":12.5,"address":"10.3.0.9"}',
    '{"type":"session","state":"suspended","session":4}',
    '{"type":"failed","order":3,"fault":"session-start-failed","text":"nxagent said: no\\u0007"}',
    '{"type":"hook","hook":"connect","text":"ended with 1"}\n{"type":"powering-off"}',
    '{"type":"session-prepare","order":1,"session":2,"account":{"login":"a","uid":1000,"fullName":"A"},"client":{"keyboard":"pc105/us","os":"linux","link":"lan","geometry":"800x600","isFullscreen":false},"accept":"10.3.0.1","slaveKey":"k"}',
  ].map(bytes),
  spice: [
    ...WILD,
    '"type":',
    "}",
    "\n",
    "null",
    "true",
    "\\u0000",
    "\\ud800",
    '"__proto__":{"x":1},',
    "[".repeat(3_000),
  ],
};

export const AUTH_LINES: Corpus = {
  seeds: [
    '{"id":1,"kind":"user","login":"alice@acme","origin":"192.0.2.1","proof":{"kind":"password","password":"secret"}}',
    '{"id":1,"kind":"administrator","login":"admin","origin":"::1","proof":{"kind":"token","token":"abc"}}',
    '{"id":1,"outcome":"accepted","userId":1,"login":"alice","tenantId":1,"tenantName":"acme","by":"local"}',
    formatWake({ topic: "image" }),
    '{"topic":"vm","vmId":7}',
  ].map(bytes),
  spice: [
    ...WILD,
    '"outcome":"denied"',
    "}",
    "null",
    "vm ",
    "node",
    "99999999999999999999",
    '"__proto__":{"x":1},',
  ],
};

export const DISKS: Corpus = {
  seeds: [qcow2(), rawDisk(), bytes("KDMV\x01"), bytes("\x1f\x8b\x08")],
  spice: WILD,
};

export const JOIN_CODES: Corpus = {
  seeds: [
    bytes(
      formatJoinCode({
        address: "box1.example:9443",
        fingerprint: "0123456789abcdef".repeat(4),
        id: "a1b2c3d4e5",
        key: new Uint8Array(32).fill(7),
      }),
    ),
    bytes("qvd1-"),
  ],
  spice: [...WILD, ".", "qvd1-", "=", "IA", "_", "-"],
};

function qcow2(): Uint8Array {
  const header = Buffer.alloc(2_048);
  header.write("QFI\u00fb", "latin1");
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(2n ** 30n, 24);
  header.writeUInt32BE(2, 36);
  header.writeBigUInt64BE(512n, 40);
  header.writeUInt32BE(104, 100);
  return header;
}

function rawDisk(): Uint8Array {
  const sector = Buffer.alloc(1_024);
  sector.set([0x55, 0xaa], 510);
  return sector;
}
