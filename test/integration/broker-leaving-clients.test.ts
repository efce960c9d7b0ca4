/** What a client asks of the broker when its session's connection is gone, and when it leaves: endpoints that QVD 4 hasn't. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type BrokerDoor, basic, openBrokerDoor, request } from "../support/broker-door.ts";

let door: BrokerDoor;
beforeEach(async () => {
  door = await openBrokerDoor();
  door.store.addDesktop(7, 1);
  door.store.addDesktop(8, 2);
});
afterEach(() => door.close());

async function ask(path: string, ...headers: readonly string[]) {
  const client = await door.open();
  client.send(request([`GET /qvd/${path} HTTP/1.1`, ...headers]));
  return await client.answer();
}

const bearer = (token: string) => `Authorization: Bearer ${Buffer.from(token).toString("base64")}`;
const KEY = "k".repeat(64);
const key = `X-QVD-Slave-Key: ${KEY}`;

async function begin(vmId: number) {
  const actor = { kind: "user", userId: 1, login: "alice", tenantId: 1, tenantName: "default" };
  await door.store.requestSession({
    asker: { actor, origin: "x" },
    vmId,
    client: {},
    slaveKey: KEY,
  } as unknown as Parameters<typeof door.store.requestSession>[0]);
  const session = door.store.sessions.at(-1);
  if (session === undefined) throw new Error("no session was made");
  return session;
}

describe("whether a session is over", () => {
  test("is told to its user, who shows its key", async () => {
    const session = await begin(7);
    expect(JSON.parse((await ask("session_state?id=7", basic("alice"), key)).body)).toEqual({
      state: "open",
    });
    const told = async (cause: string) => {
      session.end = { cause, bytesToClient: 0, bytesFromClient: 0 };
      return JSON.parse((await ask("session_state?id=7", basic("alice"), key)).body);
    };
    expect(await told("superseded")).toEqual({
      ...{ state: "over", cause: "superseded", text: "a newer client took over" },
    });
    expect(await told("broker-lost")).toMatchObject({ state: "open", cause: "broker-lost" });
  });

  const refused: readonly [what: string, status: number, path: string, headers: readonly string[]][] = [
    ["nobody", 401, "session_state?id=7", [key]],
    ["whoever has another key", 404, "session_state?id=7", [basic("alice"), "X-QVD-Slave-Key: other"]],
    ["whoever has no key", 404, "session_state?id=7", [basic("alice")]],
    ["whoever names no desktop", 422, "session_state", [basic("alice"), key]],
    ["a token of another desktop", 403, "session_state?id=8", [bearer("bound"), key]],
  ];
  test.each(refused)("is not told to %s", async (_what, status, path, headers) => {
    await begin(7);
    door.auth.tokens.set("bound", { userId: 1, isMultiUse: true, vmId: 7 });
    expect((await ask(path, ...headers)).status).toBe(status);
  });
});

describe("a token that is given back", () => {
  test("opens nothing any more", async () => {
    door.auth.tokens.set("mine", { userId: 1, isMultiUse: true });
    expect((await ask("list_of_vm", bearer("mine"))).status).toBe(200);
    expect((await ask("give_back_auth_token", bearer("mine"))).status).toBe(200);
    expect((await ask("list_of_vm", bearer("mine"))).status).toBe(401);
  });

  test("must be shown: a password gives nothing back, and neither does nobody", async () => {
    door.auth.tokens.set("mine", { userId: 1, isMultiUse: true });
    expect((await ask("give_back_auth_token", basic("alice"))).status).toBe(422);
    expect((await ask("give_back_auth_token")).status).toBe(401);
    expect((await ask("give_back_auth_token", bearer("another"))).status).toBe(401);
    expect(door.auth.tokens.size).toBe(1);
  });
});
