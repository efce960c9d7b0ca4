/** What the browser's side reads: of a page, of its address and cookies, and of a desktop that shows itself. */

import { parseUserToken } from "../../src/broker/gateway/cookies.ts";
import { FirstLine } from "../../src/broker/gateway/first-line.ts";
import { localPath } from "../../src/broker/gateway/local-path.ts";
import { parseFromPage } from "../../src/broker/gateway/page-message.ts";
import { parseDisplayNews } from "../../src/wire/display/control.ts";
import { parseDisplayHello } from "../../src/wire/display/hello.ts";
import {
  cleanFileName,
  MOST_FILES,
  parseTransferReport,
  parseTransferWish,
} from "../../src/wire/display/transfer.ts";
import { PageGreeting, ViewerProof } from "../../src/wire/display/viewer-proof.ts";
import { GATEWAY_REQUESTS } from "./gateway-corpora.ts";
import { hold } from "./hold.ts";
import type { Corpus, Random } from "./mutate.ts";
import type { FuzzTarget } from "./targets.ts";

const bytes = (text: string) => Buffer.from(text, "utf8");
const JSON_SPICE = [
  "\0",
  '"type":',
  "{",
  "[",
  "}",
  "null",
  "1e999",
  "-1",
  "\\ud800",
  '"__proto__":{"x":1},',
  "[".repeat(3_000),
];

const PAGE_MESSAGES: Corpus = {
  seeds: [
    '{"type":"resize","width":800,"height":600}',
    '{"type":"clipboard","text":"ñ 漢 €"}',
    '{"type":"invite","mayControl":true}',
    '{"type":"admit-visit","id":7}',
    '{"type":"transfer","isGood":true,"name":"a.txt","bytes":5,"files":[{"name":"a","bytes":1}]}',
    '{"isGood":true,"name":"a.txt","bytes":5,"files":[{"name":"a","bytes":1}]}',
    '{"isGood":false,"text":"The disk is full."}',
    '{"name":"../../a.txt","bytes":5}',
  ].map(bytes),
  spice: [...JSON_SPICE, "x".repeat(70_000), "../", "\\"],
};

const ADDRESSES: Corpus = {
  seeds: [
    "/desktop/1",
    "/desktop/1?next=%2F",
    "//elsewhere/",
    "/\\elsewhere",
    "a=b; __Host-qvd-user=abc; c=d",
  ].map(bytes),
  spice: [
    "/",
    "//",
    "\\",
    "\t",
    "\n",
    "@",
    ":",
    "%2f",
    "..",
    ";",
    "__Host-qvd-user=",
    "https://elsewhere",
    "\0",
  ],
};

const HELLOS: Corpus = {
  seeds: [
    "QVD-DISPLAY/1 a2V5 rfb",
    "QVD-DISPLAY/1 a2V5 upload eyJuYW1lIjoiYSJ9",
    "QVD-DISPLAY/1 k control ",
  ].map(bytes),
  spice: ["\0", " ", "\n", "=", "QVD-DISPLAY/1", "rfb", "x".repeat(3_000)],
};

const GREETINGS: Corpus = {
  seeds: [
    "RFB 003.008\n\x01\x02abcdefghijklmnop\0\0\0\0",
    "RFB 003.008\n\x03\x01\x13\x02abcdefghijklmnop\0\0\0\x01\0\0\0\x06failed",
    "RFB 003.008\n\0\0\0\0\x08too many",
    "RFB 003.008\n\x01\x01",
  ].map(bytes),
  spice: ["\0", "\x02", "\xff", "RFB 003.003\n", "RFB", "x".repeat(3_000)],
};

export const GATEWAY_TARGETS: readonly FuzzTarget[] = [
  { name: "first lines", corpus: GATEWAY_REQUESTS, check: checkFirstLine },
  { name: "page and display messages", corpus: PAGE_MESSAGES, check: checkMessages },
  { name: "addresses and cookies", corpus: ADDRESSES, check: checkAddress },
  { name: "display hellos", corpus: HELLOS, check: checkHello },
  { name: "screens' greetings", corpus: GREETINGS, check: checkGreeting },
];

function checkFirstLine(input: Uint8Array, random: Random): void {
  const [whole, cut] = [new FirstLine(), new FirstLine()];
  const meant = whole.push(input);
  let speaker: ReturnType<FirstLine["push"]>;
  let end = 0;
  while (end < input.length && speaker === undefined) {
    const start = end;
    end = Math.min(input.length, start + 1 + Math.floor(random() * 200));
    speaker = cut.push(input.subarray(start, end));
  }
  hold(speaker === meant || end < input.length, "who speaks is the same however their line is cut");
  const kept = Buffer.concat(cut.chunks);
  hold(kept.equals(input.subarray(0, end)), "nothing of what came is lost before it is known who speaks");
}

function checkMessages(input: Uint8Array): void {
  const text = Buffer.from(input).toString("utf8");
  const order = parseFromPage(text);
  if (order?.type === "resize")
    hold(order.width >= 1 && order.width <= 16_384 && order.height <= 16_384, "a screen has a screen's size");
  const news = parseDisplayNews(text);
  if (news !== undefined) hold(JSON.stringify(news).length <= 8 * text.length + 100, "news don't grow");
  const report = parseTransferReport(text);
  if (report?.isGood === true) hold(report.files.length <= MOST_FILES, "a folder's list has an end");
  if (report?.isGood === false) hold(report.text.length <= 300, "a desktop's reason is short");
  const wish = parseTransferWish(text);
  if (wish?.name !== undefined) holdFileName(wish.name);
  holdFileName(cleanFileName(text));
}

function holdFileName(name: string): void {
  const isPlain = name !== "" && !/[/\\]|^[.\s-]|\p{Cc}/u.test(name) && Buffer.byteLength(name) <= 200;
  hold(isPlain, "a file's name is a name, and no way out of its folder");
}

function checkAddress(input: Uint8Array): void {
  const text = Buffer.from(input).toString("utf8");
  const own = "https://here.example";
  hold(new URL(localPath(text), own).origin === own, "nobody is led to another site");
  hold(parseUserToken(text)?.includes(";") !== true, "a cookie ends where the next begins");
}

function checkHello(input: Uint8Array): void {
  const hello = parseDisplayHello(Buffer.from(input).toString("latin1"));
  if (hello !== undefined) hold(hello.key.length <= 128, "a key is short");
}

function checkGreeting(input: Uint8Array, random: Random): void {
  const whole = greet(input, () => input.length);
  const cut = greet(input, () => Math.floor(random() * 20));
  hold(cut === whole, "a screen's server means the same however its words are cut");
  const page = new PageGreeting().take(input);
  if (page !== undefined)
    hold(page.passed.length <= Math.max(0, input.length - 13), "a greeting goes no further");
}

/** What came of it, in the end. */
function greet(input: Uint8Array, size: () => number): string {
  const proof = new ViewerProof("key");
  let answers = 0;
  for (let start = 0; start < input.length; ) {
    const end = Math.min(input.length, start + Math.max(1, size()));
    let step = proof.take(input.subarray(start, end));
    if (step.kind === "answer") {
      answers++;
      hold(step.bytes.length === 16, "an answer is as long as a challenge");
      // Whatever came behind the challenge in the same piece.
      step = proof.take(new Uint8Array());
    }
    hold(answers <= 1, "nobody gets two answers");
    if (step.kind === "refused") return "refused";
    if (step.kind === "in") return "in";
    start = end;
  }
  return answers === 0 ? "asked for nothing" : "waits";
}
