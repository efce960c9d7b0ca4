import { describe, expect, test } from "bun:test";
import { decideSlaveAnswer, nameShare } from "./decide-slave-answer.ts";
import { parseSlaveRequest } from "./parse-slave-request.ts";

const KEY = "abcDEF123".repeat(7);
const PROOF = `Authorization: Basic ${KEY}`;
const UPGRADE = ["Connection: Upgrade", "Upgrade: qvd:sftp/1.0"];

function answer(first: string, headers: readonly string[] = [PROOF, ...UPGRADE], end = "\r\n") {
  const request = parseSlaveRequest([first, ...headers].join(end));
  if (request === undefined) return "no request";
  const found = decideSlaveAnswer(request, KEY);
  return found.kind === "refuse" ? found.status : found;
}

describe("a request on the slave channel", () => {
  test("mounts a folder, as the original client asks", () => {
    const recorded = [PROOF, ...UPGRADE, "User-Agent: QVD::HTTPC/0.01 (linux)"];
    expect(answer("PUT /shares//home/me/web HTTP/1.1", recorded)).toEqual({
      kind: "mount",
      name: "web",
      charset: undefined,
    });
  });

  test("may have bare line feeds, blanks in its path and another charset", () => {
    const headers = [PROOF, "Connection: upgrade", "Upgrade: qvd:sftp/1.0;charset=cp1252"];
    expect(answer("PUT /shares/C:\\My files HTTP/1.1", headers, "\n")).toEqual({
      kind: "mount",
      name: "My files",
      charset: "cp1252",
    });
  });

  for (const [first, headers, status] of [
    ["PUT /shares/x HTTP/1.1", UPGRADE, 401],
    ["PUT /shares/x HTTP/1.1", [`${PROOF}x`, ...UPGRADE], 403],
    ["PUT /shares/x HTTP/1.1", ["Authorization: Basic ", ...UPGRADE], 403],
    ["GET /shares/etc HTTP/1.1", UPGRADE, 401],
    ["PUT /shares/x HTTP/1.1", [PROOF], 400],
    ["PUT /shares/x HTTP/1.1", [PROOF, "Connection: Upgrade", "Upgrade: qvd:sftp/2.0"], 400],
    ["PUT /shares/x HTTP/1.1", [PROOF, "Connection: Upgrade", "Upgrade: qvd:sftp/1.0;charset=a,b"], 400],
    ["POST /usbip HTTP/1.1", [PROOF], 501],
    ["DELETE /shares/x HTTP/1.1", [PROOF, ...UPGRADE], 404],
    ["POST /open/a HTTP/1.1", [PROOF], 404],
    ["POST /open/a HTTP/1.1", [PROOF, "X-QVD-Share-Ticket: ../.."], 404],
    ["POST /open/a/../../b HTTP/1.1", [PROOF, "X-QVD-Share-Ticket: web"], 404],
  ] as const)
    test(`${first} with ${headers.join(", ").replaceAll(KEY, "KEY")} gets ${status}`, () => {
      expect(answer(first, headers)).toBe(status);
    });

  test("opens a file of a share, and serves a folder of the desktop", () => {
    expect(answer("POST /open/a/b%20c HTTP/1.1", [PROOF, "X-QVD-Share-Ticket: web"])).toEqual({
      kind: "open",
      name: "web",
      path: "a/b c",
    });
    expect(answer("GET /shares//home/bea HTTP/1.1")).toEqual({ kind: "serve", path: "/home/bea" });
  });

  test("is none with a broken first line or header", () => {
    for (const first of ["", "PUT", "PUT x HTTP/1.1", "put /x HTTP/1.1", "PUT /x HTTP/2"])
      expect(answer(first), first).toBe("no request");
    expect(answer("PUT /x HTTP/1.1", ["no colon"])).toBe("no request");
  });
});

test("a share's name is one part of a path, whatever the client says", () => {
  expect(["/", "", "a/..", "/.", "C:\\", "\u0000\n", "a//b/"].map(nameShare)).toEqual([
    ...["Root", "Root", "Root", "Root", "C", "Root", "b"],
  ]);
  expect(Buffer.byteLength(nameShare("ñ".repeat(500)))).toBeLessThanOrEqual(200);
  // Seeded: the same odd paths each time.
  let seed = 7;
  for (let round = 0; round < 2_000; round++) {
    const path = Array.from({ length: round % 12 }, () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return "/\\.: aé\n%C"[seed % 11] ?? "";
    }).join("");
    const name = nameShare(path);
    expect(name !== "" && name !== "." && name !== ".." && !/[/\\\n]/.test(name), JSON.stringify(path)).toBe(
      true,
    );
  }
});
