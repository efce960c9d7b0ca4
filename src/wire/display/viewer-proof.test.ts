import { describe, expect, test } from "bun:test";
import { formatPasswordFile, PageGreeting, screenPassword, ViewerProof } from "./viewer-proof.ts";

const VERSION = Buffer.from("RFB 003.008\n");
const CHALLENGE = Buffer.alloc(16, 7);
const TALK = Buffer.concat([VERSION, Buffer.from([1, 2]), CHALLENGE]);
const IN = Buffer.alloc(4);

/** What it says of all that came, each piece by itself. */
function talk(pieces: readonly Uint8Array[], key = "key"): readonly string[] {
  const proof = new ViewerProof(key);
  return pieces.map((piece) => proof.take(piece).kind);
}

describe("a password", () => {
  test("stands in the file as VNC's own programs write it", () => {
    expect(formatPasswordFile(Buffer.from("password")).toString("hex")).toBe("dbd83cfd727a1458");
  });

  test("is the key's, and has no zero", () => {
    const made = Array.from({ length: 500 }, (_, at) => screenPassword(`key ${at}`));
    expect(new Set(made.map((password) => password.toString("hex"))).size).toBe(500);
    expect(
      made.every((password) => password.length === 8 && password.every((byte) => byte > 0 && byte < 128)),
    ).toBe(true);
  });
});

describe("a viewer's proof", () => {
  test("answers a challenge, and is in", () => {
    expect(talk([TALK, IN])).toEqual(["answer", "in"]);
    expect(talk([...TALK].map((byte) => Buffer.from([byte]))).slice(-2)).toEqual(["more", "answer"]);
  });

  test("gives on what comes behind", () => {
    const proof = new ViewerProof("key");
    proof.take(TALK);
    expect(proof.take(Buffer.concat([IN, Buffer.from("more")]))).toEqual({
      kind: "in",
      rest: Buffer.from("more"),
    });
  });

  test("is another one for another key and another challenge", () => {
    const answer = (key: string, challenge: Uint8Array) => {
      const step = new ViewerProof(key).take(Buffer.concat([VERSION, Buffer.from([1, 2]), challenge]));
      return step.kind === "answer" ? Buffer.from(step.bytes).toString("hex") : step.kind;
    };
    const answers = [answer("one", CHALLENGE), answer("two", CHALLENGE), answer("one", Buffer.alloc(16, 8))];
    expect(new Set(answers).size).toBe(3);
    expect(answers.every((text) => text.length === 32)).toBe(true);
  });

  const hostile: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ["another protocol", [Buffer.from("SSH-2.0-x\r\n")]],
    ["another version", [Buffer.from("RFB 003.003\n")]],
    ["no kind of security, and a reason", [Buffer.concat([VERSION, Buffer.from([0, 0, 0, 0, 4])])]],
    ["one that asks for nothing", [Buffer.concat([VERSION, Buffer.from([1, 1])])]],
    ["many, and not this one", [Buffer.concat([VERSION, Buffer.from([255]), Buffer.alloc(255, 19)])]],
    ["that it is not in", [TALK, Buffer.from([0, 0, 0, 1])]],
  ];
  test.each(hostile)("ends at a server that says %s", (_name, pieces) => {
    expect(talk(pieces).at(-1)).toBe("refused");
  });
});

describe("a page that has nothing to prove", () => {
  const greeting = Buffer.from("RFB 003.008\n\x01");

  test("is told that it is in once it has answered, and what it says to that is left out", () => {
    for (const size of [1, 5, 12, 13, 14, 20]) {
      const page = new PageGreeting();
      const said = Buffer.concat([greeting, Buffer.from("\x01and so on")]);
      const pieces = Array.from({ length: Math.ceil(said.length / size) }, (_, at) =>
        page.take(said.subarray(at * size, (at + 1) * size)),
      );
      const passed = Buffer.concat(pieces.map((piece) => piece?.passed ?? Buffer.from("nothing")));
      expect(passed.toString()).toBe("\x01and so on");
      expect(pieces.findIndex((piece) => piece?.reply !== undefined)).toBe(Math.ceil(12 / size) - 1);
      const replies = pieces.flatMap((piece) => (piece?.reply === undefined ? [] : [piece.reply]));
      expect(Buffer.concat(replies).toString("hex")).toBe("010100000000");
    }
    expect(Buffer.from(PageGreeting.hello).toString()).toBe("RFB 003.008\n");
  });

  test("may say nothing else", () => {
    expect(new PageGreeting().take(Buffer.from("RFB 003.003\n"))).toBeUndefined();
    expect(new PageGreeting().take(Buffer.from("RFB 003.008\n\x02"))).toBeUndefined();
  });
});
