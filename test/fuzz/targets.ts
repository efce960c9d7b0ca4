/** Everything that reads bytes of strangers without a process of its own, and what must hold of what it says. */

import { isIP } from "node:net";
import { parseDiskHeader } from "../../src/domain/image/disk-header.ts";
import { chooseClientParameters } from "../../src/domain/session/client-parameters.ts";
import { formatOptionsLine } from "../../src/guest/session/options-line.ts";
import { AppError } from "../../src/lib/errors.ts";
import { LineSplitter } from "../../src/lib/lines.ts";
import { detectContent } from "../../src/storage/archive-format.ts";
import { AuthAnswer, AuthQuestion } from "../../src/wire/auth/messages.ts";
import { parseCredentials } from "../../src/wire/client/credentials.ts";
import { HeadParser } from "../../src/wire/client/head-parser.ts";
import type { RequestHead } from "../../src/wire/client/request-head.ts";
import { parseFromGuest } from "../../src/wire/guest/parse-from-guest.ts";
import { parseToGuest } from "../../src/wire/guest/parse-to-guest.ts";
import { parseJoinCode } from "../../src/wire/join/join-code.ts";
import { parseProxyHeader } from "../../src/wire/proxy/proxy-header.ts";
import { parseWake } from "../../src/wire/wake/messages.ts";
import { AUTH_LINES, DISKS, GUEST_LINES, HEADS, JOIN_CODES, PROXY_HEADERS } from "./corpora.ts";
import { GATEWAY_TARGETS } from "./gateway-targets.ts";
import { hold } from "./hold.ts";
import type { Corpus, Random } from "./mutate.ts";

export type FuzzTarget = {
  readonly name: string;
  readonly corpus: Corpus;
  /** Throws when something doesn't hold, or when what it tries does. */
  readonly check: (input: Uint8Array, random: Random) => void;
};

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: "client heads", corpus: HEADS, check: checkHeads },
  { name: "PROXY headers", corpus: PROXY_HEADERS, check: checkProxyHeader },
  { name: "guest channel", corpus: GUEST_LINES, check: checkGuestLines },
  { name: "auth and wakes", corpus: AUTH_LINES, check: checkOwnLines },
  { name: "disks", corpus: DISKS, check: checkDisk },
  { name: "join codes", corpus: JOIN_CODES, check: checkJoinCode },
  ...GATEWAY_TARGETS,
];

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

function checkHeads(input: Uint8Array, random: Random): void {
  const whole = readHeads(input, () => input.length);
  const cut = readHeads(input, () => Math.floor(random() * 40));
  hold(JSON.stringify(whole.said) === JSON.stringify(cut.said), "a head means the same however it is cut");
  for (const head of whole.heads) checkHead(head);
}

type Heads = { readonly heads: RequestHead[]; readonly said: unknown[] };

function readHeads(input: Uint8Array, size: () => number): Heads {
  const parser = new HeadParser();
  const read: Heads = { heads: [], said: [] };
  for (let start = 0; start < input.length; ) {
    const end = Math.min(input.length, start + Math.max(1, size()));
    let rest: Uint8Array = input.subarray(start, end);
    while (rest.length > 0) {
      const parsed = parser.push(rest);
      if (parsed === undefined) break;
      if (parsed.kind === "fault") {
        read.said.push(parsed.fault);
        return read;
      }
      const { method, path, query, headers } = parsed.head;
      read.heads.push(parsed.head);
      read.said.push([method, path, [...query], [...headers]]);
      rest = parsed.rest;
    }
    start = end;
  }
  return read;
}

function checkHead({ query, headers }: RequestHead): void {
  for (const [name, value] of headers)
    hold(!CONTROL.test(name) && !CONTROL.test(value), "no control character passes in a header");
  const credentials = parseCredentials(headers.get("authorization"));
  hold(credentials?.kind !== "password" || credentials.login !== "", "nobody signs in without a name");
  const client = chooseClientParameters(query);
  const line = formatOptionsLine({ client, accept: "10.0.0.1", stateFile: "/run/state" });
  hold(line !== undefined, "what a client may say can be written for nxagent");
  hold(/^nx\/nx,[\w./+=,-]+:\d+\n$/.test(line ?? ""), "a client adds no option to nxagent's line");
  for (const value of Object.values(client.given ?? {}))
    hold(value.length <= 256 && !CONTROL.test(value), "what reaches a hook is short and plain");
}

function checkProxyHeader(input: Uint8Array): void {
  const whole = parseProxyHeader(input);
  if (whole.kind === "header") {
    hold(whole.length <= input.length, "a header ends within what came");
    const { clientAddress } = whole;
    hold(clientAddress === undefined || isIP(clientAddress) !== 0, "a client's address is one");
    const alone = parseProxyHeader(input.subarray(0, whole.length));
    hold(JSON.stringify(alone) === JSON.stringify(whole), "what follows a header doesn't change it");
    hold(
      parseProxyHeader(input.subarray(0, whole.length - 1)).kind === "more",
      "a header is asked for whole",
    );
  }
  if (whole.kind === "more") hold(input.length < 4_096, "a header has an end");
}

function checkGuestLines(input: Uint8Array): void {
  for (const line of new LineSplitter(64 * 1024).push(Buffer.concat([input, Buffer.from("\n")]))) {
    if (line === null) continue;
    const parsed = parseFromGuest(line);
    if (!parsed.isGood) hold(parsed.reason.length < 300, "a refusal is a sentence of our own");
    else if ("text" in parsed.message) {
      const { text } = parsed.message;
      hold(text.length <= 600 && !/[\p{Cc}\u2028\u2029]/u.test(text), "a guest's sentence is one short line");
    }
    parseToGuest(line);
  }
}

function checkOwnLines(input: Uint8Array): void {
  const line = Buffer.from(input).toString("utf8");
  const wake = parseWake(line);
  if (wake?.vmId !== undefined) hold(Number.isSafeInteger(wake.vmId), "a wake's desktop is a number");
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return;
  }
  AuthQuestion.safeParse(value);
  AuthAnswer.safeParse(value);
}

function checkDisk(input: Uint8Array): void {
  const parsed = parseDiskHeader(input, input.length);
  const content = detectContent(input);
  if (parsed.isGood) {
    // Opened as raw, a disk is raw to QEMU whatever else its first bytes look like; the intake refuses it.
    const isDisk = content.kind === "disk" && content.format === parsed.format;
    hold(isDisk || parsed.format === "raw", "what a machine may have is a disk by its first bytes too");
    hold((parsed.virtualBytes ?? 1) <= 16 * 2 ** 40, "no disk is larger than a disk can be");
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
    if (parsed.format === "qcow2") hold(bytes.readBigUInt64BE(8) === 0n, "a disk stands on nothing");
  } else hold(parsed.reason !== "", "a refusal says why");
}

function checkJoinCode(input: Uint8Array): void {
  try {
    const code = parseJoinCode(Buffer.from(input).toString("latin1"));
    hold(code.key.length === 32, "a code that is taken has its whole key");
  } catch (error) {
    hold(error instanceof AppError, `a code is refused in words, not by ${error}`);
  }
}
