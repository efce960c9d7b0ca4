import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createAuthClient } from "../../src/auth/client.ts";
import { serveAuth } from "../../src/auth/server.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { AuthPlace } from "../../src/wire/auth/messages.ts";
import { type BrokerDoor, basic, openBrokerDoor } from "../support/broker-door.ts";

const never = new AbortController().signal;
const QUESTION = {
  kind: "user",
  login: "ann",
  proof: { kind: "password", password: "p" },
  origin: "x",
} as const;

describe("at the QVD port", () => {
  let door: BrokerDoor;
  beforeAll(async () => {
    door = await openBrokerDoor();
  });
  afterAll(() => door.close());
  beforeEach(() => {
    door.auth.place = { number: 120, waitMs: 41_200 };
  });

  const ask = async (path: string, agent: string | undefined) => {
    const client = await door.open();
    const name = agent === undefined ? "" : `User-Agent: ${agent}\r\n`;
    client.send(`GET ${path} HTTP/1.1\r\n${name}${basic("alice", "secret")}\r\n\r\n`);
    await waitFor(() => /HTTP\/1\.1 (?!102)\d{3}/.test(client.received), { timeoutMs: 20_000 });
    const told = [...client.received.matchAll(/X-QVD-VM-Info: ([^\r]+)\r\n/g)].map(([, text]) => text);
    const { status } = await client.answer();
    client.close();
    return { status, told };
  };
  const PLACE = "Many people sign in: number 120 in the queue, about 42 s";

  for (const agent of ["QVD/3.1 libcurl/7.88.1", "qvd-connect"])
    test(`${agent} hears where it stands`, async () => {
      expect(await ask("/qvd/list_of_vm", agent)).toEqual({ status: 200, told: [PLACE] });
    });

  for (const agent of ["QVD::HTTPC/0.01 (linux)", "QVDClient Qt/0.01 (Linux)", undefined])
    test(`${agent ?? "one without a name"} hears nothing but the answer`, async () => {
      expect(await ask("/qvd/list_of_vm", agent)).toEqual({ status: 200, told: [] });
    });

  test("who is there in a moment hears nothing of it", async () => {
    door.auth.place = { number: 3, waitMs: 200 };
    expect(await ask("/qvd/list_of_vm", "qvd-connect")).toEqual({ status: 200, told: [] });
  });

  const leaves = async (waitMs: number) => {
    door.auth.place = { number: 120, waitMs };
    const client = await door.open();
    client.send("GET /qvd/ping HTTP/1.1\r\n\r\n");
    expect((await client.answer()).status).toBe(200);
    client.send(`GET /qvd/list_of_vm HTTP/1.1\r\n${basic("waits", "secret")}\r\n\r\n`);
    client.shutdown();
    const { status } = await client.answer();
    await client.expectEnd(20_000);
    return status;
  };

  test("who cancels in a crowd leaves their place, also one who hears nothing", async () => {
    const before = door.auth.leftCount;
    expect(await leaves(41_200)).toBe(503);
    expect(door.auth.leftCount).toBe(before + 1);
  });

  test("who is there in a moment may have said all before", async () => {
    const before = door.auth.leftCount;
    expect(await leaves(200)).toBe(401);
    expect(door.auth.leftCount).toBe(before);
  });

  test("who is sent away hears when to come again", async () => {
    const client = await door.open();
    client.send(`GET /qvd/list_of_vm HTTP/1.1\r\n${basic("busy", "secret")}\r\n\r\n`);
    const { status, head, body } = await client.answer();
    expect({ status, body }).toEqual({ status: 503, body: "Too many people sign in." });
    expect(head).toContain("Retry-After: 1\r\n");
  });
});

describe("at the auth socket", () => {
  const folder = mkdtempSync(`${tmpdir()}/qvd-crowd-`);
  const path = `${folder}/socket`;
  const left: string[] = [];
  const release = Promise.withResolvers<void>();
  const server = serveAuth({
    path,
    log: silentLog(),
    answer: async (asked, { signal, onPlace }) => {
      onPlace?.({ number: 7, waitMs: 70.4 });
      signal.addEventListener("abort", () => left.push("login" in asked ? asked.login : ""));
      await release.promise;
      return { id: asked.id, outcome: "denied" };
    },
  });
  afterAll(() => {
    server.stop();
    rmSync(folder, { recursive: true });
  });

  test("a thousand ask in one moment; each is told a place and then answered", async () => {
    const client = createAuthClient({ path, log: silentLog() });
    const places: AuthPlace[] = [];
    const login = "a".repeat(500);
    const asking = Array.from({ length: 1_000 }, () =>
      client.verify({ ...QUESTION, login }, never, (place) => places.push(place)),
    );
    const gone = new AbortController();
    const leaving = client.verify({ ...QUESTION, login: "leaves" }, gone.signal);
    expect(await waitFor(() => places.length === 1_000, { timeoutMs: 20_000 })).toBe(true);
    expect(places[0]).toMatchObject({ outcome: "waiting", number: 7, waitMs: 70 });
    gone.abort();
    expect((await leaving).outcome).toBe("unavailable");
    expect(await waitFor(() => left.length > 0, { timeoutMs: 20_000 })).toBe(true);
    release.resolve();
    const answers = await Promise.all(asking);
    expect(answers.every(({ outcome }) => outcome === "denied")).toBe(true);
    expect(left).toEqual(["leaves"]);
    client.close();
  }, 60_000);
});
