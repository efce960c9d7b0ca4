import { describe, expect, test } from "bun:test";
import { AnswerReader } from "./answer-reader.ts";

const PROGRESS = "HTTP/1.1 102 Processing\r\nX-QVD-VM-Info: Starting\r\n\r\n";
const LIST = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nX-QVD-Slave-Key: k\r\n\r\n";

function read(...chunks: readonly string[]) {
  const reader = new AnswerReader();
  const answers = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk, "latin1"));
    for (let answer = reader.next(); answer !== undefined; answer = reader.next()) answers.push(answer);
  }
  return { answers, rest: Buffer.from(reader.takeRest()).toString("latin1") };
}

describe("answers of a broker", () => {
  test("are read one after the other, and what follows the last is the session's", () => {
    const { answers, rest } = read(`${PROGRESS}${LIST}${SWITCH}NX bytes`);
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [102, ""],
      [200, "[]"],
      [101, ""],
    ]);
    expect(answers[0]?.headers.get("x-qvd-vm-info")).toBe("Starting");
    expect(rest).toBe("NX bytes");
  });

  test("mean the same however they are cut", () => {
    const whole = read(PROGRESS + LIST + SWITCH);
    expect(read(...(PROGRESS + LIST + SWITCH))).toEqual(whole);
  });

  const bad: readonly [what: string, text: string][] = [
    ["is another protocol's", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["has no end", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(8_000)}`],
    ["is endless", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"],
    ["has less than nothing", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
  ];
  test.each(bad)("that %s is told as no broker's", (_what, text) => {
    expect(() => read(text)).toThrow(/no QVD broker/);
  });
});
