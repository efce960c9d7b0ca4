/**
 * The golden traces that are more than one answer, by their number in the protocol reference's table: sessions
 * (16, 17, 20 to 22), stops (18), failed starts (19), bearer tokens (26). What is decided to differ says so.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { asId, type VmId } from "../../src/domain/ids.ts";
import {
  type BrokerDoor,
  connectRequest,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  request,
  until,
} from "../support/broker-door.ts";
import type { QvdClient } from "../support/qvd-client.ts";
import type { TableSession } from "../support/table-broker-store.ts";

const VM2 = asId<VmId>(2);
const progress = (...texts: readonly string[]) =>
  texts.map((text) => `HTTP/1.1 102 Processing\r\nX-QVD-VM-Info: ${text}\r\n\r\n`).join("");
const switching = (key: string) => `HTTP/1.1 101 Switching Protocols\r\nX-QVD-Slave-Key: ${key}\r\n\r\n`;
const unavailable = (reason: string) => {
  const body = `The requested virtual machine is not available: ${reason}, retry later.`;
  return `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

let door: BrokerDoor;
let desktop: EchoDesktop;
beforeAll(async () => {
  door = await openBrokerDoor({ limits: { pollMs: 60 } });
  desktop = openEchoDesktop();
});
afterAll(async () => {
  desktop.stop();
  await door.close();
});
beforeEach(() => {
  door.store.addDesktop(1, 1, { state: "running", wish: "running" });
  door.store.addDesktop(2, 1);
  door.store.unplaced.clear();
  door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
  door.store.onStop = () => {};
});

const last = (): TableSession => {
  const session = door.store.sessions.at(-1);
  if (session === undefined) throw new Error("no session was requested");
  return session;
};

/** Everything until the connection's end or `end` bytes of it; `meanwhile` goes on with what else is to happen. */
async function received(
  text: string,
  end: RegExp,
  meanwhile: (client: QvdClient) => Promise<void> = async () => {},
): Promise<{ readonly bytes: string; readonly close: () => void }> {
  const client = await door.open();
  client.send(text);
  await meanwhile(client);
  const bytes = await client.expect(new RegExp(`^[\\s\\S]*?${end.source}`));
  return { bytes: bytes + client.received, close: () => client.close() };
}
const END_OF_101 = /101 Switching Protocols\r\n[^\r]+\r\n\r\n/;
const END_OF_503 = /retry later\./;

test("16: a desktop that runs", async () => {
  const { bytes, close } = await received(connectRequest(1), END_OF_101);
  expect(last().slaveKey).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(bytes).toBe(
    progress(
      "Session acquired for VM_ID: 1",
      "Starting X session at VM 1",
      "Waiting for X session to come up on VM 1",
      "Connecting X session for VM_ID: 1",
      "Connection established",
    ) + switching(last().slaveKey),
  );
  expect(last().isConnected).toBe(true);
  close();
});

test("16: what the authenticator gives goes with the request", async () => {
  door.auth.parameters = { "qvd.vm.user.home": "/srv/alice" };
  const { close } = await received(connectRequest(1), END_OF_101);
  door.auth.parameters = {};
  expect(last().parameters).toEqual({ "qvd.vm.user.home": "/srv/alice" });
  close();
});

test("17: a desktop that is stopped, and on no node", async () => {
  door.store.unplaced.add(VM2);
  door.store.onRequest = () => void door.store.append(VM2, "start-taken");
  const waiting = progress("Waiting for VM to reach state 'running'");
  const { bytes, close } = await received(named(connectRequest(2)), END_OF_101, async (client) => {
    await until("it is told twice to wait", () => client.received.split(waiting).length > 2);
    door.store.addDesktop(2, 1, { state: "running", wish: "running" });
    reportListening(door.store, last(), desktop.port);
  });
  const [before = "", ...rest] = bytes.split(waiting);
  expect(before).toBe(
    progress("Session acquired for VM_ID: 2", "Assigning VM 2 to host", "Starting virtual machine"),
  );
  expect(rest.length).toBeGreaterThanOrEqual(2);
  expect(rest.join("")).toBe(
    progress(
      "Starting X session at VM 2",
      "Waiting for X session to come up on VM 2",
      "Connecting X session for VM_ID: 2",
      "Connection established",
    ) + switching(last().slaveKey),
  );
  close();
});

test("17, asked by the C library, which gives up at the tenth read without a 101; by decision", async () => {
  door.store.unplaced.add(VM2);
  door.store.onRequest = (session) => {
    setTimeout(() => {
      door.store.addDesktop(2, 1, { state: "running", wish: "running" });
      reportListening(door.store, session, desktop.port);
    }, 600);
  };
  const { bytes, close } = await received(connectRequest(2), END_OF_101);
  expect(bytes.match(/HTTP\/1\.1 10[12] /g)?.length).toBeLessThanOrEqual(10);
  expect(bytes).toContain(progress("Connection established"));
  close();
});

/** As Perl's and Qt's clients send it; the C library names itself to the list only. */
const named = (request: string) =>
  request.replace("Connection:", "User-Agent: QVD::HTTPC/0.01 (linux)\r\nConnection:");

test("17, in a storm: where the desktop stands in the queue, and for how long", async () => {
  door.store.onRequest = (session) => {
    const queue = { position: 37, dueInMs: 21_000 };
    door.store.addDesktop(2, 1, { wish: "running", queue });
    setTimeout(() => reportListening(door.store, session, desktop.port), 150);
  };
  const { bytes, close } = await received(connectRequest(2), END_OF_101);
  expect(bytes).toContain(
    progress("Waiting for VM to reach state 'running': number 37 in the queue, about 21 s"),
  );
  close();
});

test("18: a stop of a desktop that runs", async () => {
  const waiting = progress("Waiting for VM to reach state 'stopped'");
  const client = await door.open();
  client.send(request(["GET /qvd/stop_vm?id=1 HTTP/1.1", "Authorization: Basic YWxpY2U6c2VjcmV0"]));
  await until("it is told twice to wait", () => client.received.split(waiting).length > 2);
  door.store.addDesktop(1, 1);
  const bytes = await client.expect(/^[\s\S]*Machine stopped\r\n/);
  const [before, ...rest] = bytes.split(waiting);
  expect(before).toBe(progress("Stopping virtual machine"));
  expect(rest.length).toBeGreaterThanOrEqual(2);
  const stopped =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\nMachine stopped\r\n";
  expect(rest.join("")).toBe(stopped);
  client.close();
});

test("19: a desktop that falls back to stopped; by decision the connection is closed", async () => {
  door.store.onRequest = () => {
    door.store.append(VM2, "start-taken");
    door.store.addDesktop(2, 1);
  };
  const client = await door.open();
  client.send(connectRequest(2));
  const bytes = await client.expect(/^[\s\S]*retry later\./);
  const answer = unavailable("Failed to start virtual machine 2");
  expect(answer).toContain("Content-Length: 95\r\n");
  expect(bytes).toEndWith(answer);
  await client.expectEnd();
});

describe("20: a second client while the first is connected", () => {
  test("takes over; by decision at once", async () => {
    const first = await door.open();
    first.send(connectRequest(1));
    await first.expect(END_OF_101);
    const older = last();
    const { bytes, close } = await received(connectRequest(1), END_OF_101);
    expect(bytes).toStartWith(
      progress("Aborting contending session for VM_ID: 1", "Session acquired for VM_ID: 1"),
    );
    await first.expectEnd();
    await until("the older one's end", () => older.end !== undefined);
    expect(older.end?.cause).toBe("superseded");
    close();
  });

  test("is refused, well formed by decision, when the first session can't be moved away", async () => {
    const reason = "nxagent did not suspend within 20 s";
    door.store.onRequest = (session) => {
      door.store.append(session.vmId, "session-preparing");
      Object.assign(session, { state: "failed", faultText: `${reason}.` });
    };
    const { bytes } = await received(connectRequest(1), END_OF_503);
    expect(bytes).toEndWith(unavailable(reason));
  });
});

test("21: an agent that refuses; well formed by decision", async () => {
  door.store.onRequest = (session) => {
    door.store.append(session.vmId, "session-preparing");
    Object.assign(session, { state: "failed", faultText: "a session of carol runs in this desktop" });
  };
  const { bytes } = await received(connectRequest(1), END_OF_503);
  expect(bytes).toBe(
    progress(
      "Session acquired for VM_ID: 1",
      "Starting X session at VM 1",
      "Waiting for X session to come up on VM 1",
    ) + unavailable("a session of carol runs in this desktop"),
  );
});

test("22: an X session that ends at its start; well formed by decision", async () => {
  door.store.onRequest = (session) => {
    door.store.append(session.vmId, "session-preparing");
    setTimeout(() => {
      Object.assign(session, { state: "failed", faultText: "nxagent ended at its start" });
      door.wake(1);
    }, 20);
  };
  const { bytes } = await received(connectRequest(1), END_OF_503);
  expect(bytes).toEndWith(unavailable("nxagent ended at its start"));
});

describe("26: bearer tokens", () => {
  const list = (token: string, what = "list_of_vm") =>
    request([`GET /qvd/${what} HTTP/1.1`, `Authorization: Bearer ${Buffer.from(token).toString("base64")}`]);
  const ask = async (text: string) => {
    const client = await door.open();
    client.send(text);
    const { status, body } = await client.answer();
    client.close();
    return { status, body };
  };

  test("of single use hold for their connection, and for no other", async () => {
    door.auth.tokens.set("once", { userId: 1, isMultiUse: false });
    const client = await door.open();
    for (const _ of [1, 2]) {
      client.send(list("once"));
      expect((await client.answer()).status).toBe(200);
    }
    expect((await ask(list("once"))).status).toBe(401);
    client.close();
  });

  test("of many uses are good again and again; by decision", async () => {
    door.auth.tokens.set("often", { userId: 1, isMultiUse: true });
    for (const _ of [1, 2, 3]) expect((await ask(list("often"))).status).toBe(200);
  });

  test("that create_auth_token makes sign in", async () => {
    const made = await ask(
      request(["GET /qvd/create_auth_token HTTP/1.1", "Authorization: Basic Y2Fyb2w6c2VjcmV0"]),
    );
    const { auth_token: encoded } = JSON.parse(made.body);
    expect(encoded).toEndWith("\n");
    const [bearer] = [`Authorization: Bearer ${encoded.trim()}`];
    door.store.addDesktop(5, 2);
    expect((await ask(request(["GET /qvd/list_of_vm HTTP/1.1", bearer]))).body).toContain('"id" : 5');
  });

  test("are made for one connection where that is asked for", async () => {
    const made = await ask(
      request(["GET /qvd/create_auth_token?multi_use=0 HTTP/1.1", "Authorization: Basic Y2Fyb2w6c2VjcmV0"]),
    );
    const token = Buffer.from(JSON.parse(made.body).auth_token, "base64").toString();
    expect((await ask(list(token))).status).toBe(200);
    expect((await ask(list(token))).status).toBe(401);
  });

  test("make no further tokens", async () => {
    door.auth.tokens.set("heir", { userId: 1, isMultiUse: true });
    expect((await ask(list("heir", "create_auth_token"))).status).toBe(403);
  });

  test("bound to a desktop open no other; by decision", async () => {
    door.auth.tokens.set("bound", { userId: 1, isMultiUse: true, vmId: 2 });
    const bearer = `Authorization: Bearer ${Buffer.from("bound").toString("base64")}`;
    const connect = (id: number) => connectRequest(id).replace(/Authorization: .*?\r\n/, `${bearer}\r\n`);
    const before = door.store.sessions.length;
    expect(await ask(connect(1))).toEqual({ status: 403, body: "vm_id does not match with provided token" });
    expect(await ask(list("bound", "stop_vm?id=1"))).toMatchObject({ status: 403 });
    expect(door.store.sessions.length).toBe(before);
    expect(JSON.parse((await ask(list("bound"))).body)).toMatchObject([{ id: 2 }]);
    const { close } = await received(connect(2), END_OF_101);
    close();
  });
});
