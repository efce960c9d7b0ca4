import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { openSlaveDoor } from "./slave-door.ts";

const KEY = "k".repeat(64);
const root = mkdtempSync(`${tmpdir()}/qvd-slave-`);
const UPGRADE = "Connection: Upgrade\r\nUpgrade: qvd:sftp/1.0\r\n";
writeFileSync(`${root}/key`, KEY);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What is answered to a request that lies in a file, what takes over, and what is left of the request's end. */
function ask(text: string) {
  writeFileSync(`${root}/request`, text);
  const [input, output] = [openSync(`${root}/request`, "r"), openSync(`${root}/answer`, "w")];
  try {
    const outcome = openSlaveDoor({ input, output, keyFile: `${root}/key`, home: root });
    return { ...outcome, left: readFileSync(input, "utf8"), said: readFileSync(`${root}/answer`, "utf8") };
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

describe("the slave door", () => {
  test("answers a refusal with its reason, and nothing takes over", () => {
    const { said, command } = ask(`PUT /shares/x HTTP/1.1\r\n${UPGRADE}\r\n`);
    expect(said).toBe(
      "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\nThe slave key is missing.\n",
    );
    expect(command).toEqual([]);
  });

  test("takes a head and no byte more", () => {
    const { left, said } = ask(`POST /usbip HTTP/1.1\nAuthorization: Basic ${KEY}\n\nbytes of another`);
    expect(said).toStartWith("HTTP/1.1 501 Not Implemented\r\n");
    expect(left).toBe("bytes of another");
  });

  test("is not upset by somebody who has gone before the answer", () => {
    Bun.spawnSync(["mkfifo", `${root}/line`]);
    const reader = openSync(`${root}/line`, constants.O_RDONLY | constants.O_NONBLOCK);
    const output = openSync(`${root}/line`, "w");
    closeSync(reader);
    writeFileSync(`${root}/request`, "hello\r\n\r\n");
    const input = openSync(`${root}/request`, "r");
    const outcome = openSlaveDoor({ input, output, keyFile: `${root}/key`, home: root });
    expect(outcome).toEqual({ command: [], failure: undefined });
    closeSync(input);
    closeSync(output);
  });

  test("refuses what is no request, has no end or is too long", () => {
    for (const text of [
      "",
      "hello\r\n\r\n",
      "PUT /shares/x HTTP/1.1\r\n",
      `PUT /${"x".repeat(20_000)} HTTP/1.1\r\n\r\n`,
    ])
      expect(ask(text).said, text.slice(0, 20)).toStartWith("HTTP/1.1 400 Bad Request\r\n");
  });

  test("finds no folder where there is none", () => {
    const { said, command } = ask(
      `GET /shares/no/such HTTP/1.1\r\nAuthorization: Basic ${KEY}\r\n${UPGRADE}\r\n`,
    );
    expect(said).toMatch(/^HTTP\/1.1 (404|501) /);
    expect(command).toEqual([]);
  });

  test("opens nothing that isn't in the share", () => {
    mkdirSync(`${root}/Redirected/web`, { recursive: true });
    const head = `Authorization: Basic ${KEY}\r\nX-QVD-Share-Ticket: web\r\n\r\n`;
    expect(ask(`POST /open/none HTTP/1.1\r\n${head}`).said).toStartWith("HTTP/1.1 404 ");
  });
});
