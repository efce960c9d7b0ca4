import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sleep } from "../../src/lib/wait.ts";
import {
  type BrokerDoor,
  basic,
  connectRequest,
  type EchoDesktop,
  openBrokerDoor,
  openEchoDesktop,
  reportListening,
  request,
  until,
} from "../support/broker-door.ts";
import type { QvdClient } from "../support/qvd-client.ts";

const SWITCHED = /^[\s\S]*?HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*?\r\n\r\n/;

let door: BrokerDoor;
let desktop: EchoDesktop;

beforeAll(async () => {
  // No deadline of the broker's comes by itself; who tests one has a broker of their own.
  door = await openBrokerDoor({
    limits: { pollMs: 50, startMs: 60_000, stopMs: 60_000, upgradeMs: 60_000, halfOpenMs: 60_000 },
  });
  desktop = openEchoDesktop();
});
afterAll(async () => {
  desktop.stop();
  await door.close();
});
beforeEach(() => {
  door.store.isAway = false;
  door.store.addDesktop(1, 1, { state: "running", wish: "running" });
  door.store.addDesktop(2, 1);
  door.store.onRequest = (session) => reportListening(door.store, session, desktop.port);
  door.store.onStop = () => {};
});

const texts = (all: string) => [...all.matchAll(/X-QVD-VM-Info: (.*)\r\n/g)].map((match) => match[1] ?? "");
const lastSession = () => {
  const session = door.store.sessions.at(-1);
  if (session === undefined) throw new Error("no session was requested");
  return session;
};

/** A client whose session runs. */
async function sitDown(id = 1): Promise<QvdClient> {
  const client = await door.open();
  client.send(connectRequest(id));
  await client.expect(SWITCHED);
  return client;
}

async function refusalOf(client: QvdClient): Promise<string> {
  const { status, body } = await client.answer();
  expect(status).toBe(503);
  await client.expectEnd();
  return body.replace("The requested virtual machine is not available: ", "");
}

describe("a connect", () => {
  for (const eol of ["\r\n", "\n"])
    test(`tells progress, gives the key, and joins client and desktop (${JSON.stringify(eol)})`, async () => {
      const client = await door.open();
      client.send(`GET /qvd/list_of_vm? HTTP/1.1${eol}${basic("alice")}${eol}${eol}`);
      expect((await client.answer()).status).toBe(200);
      client.send(connectRequest(1, { eol }));
      const all = await client.expect(SWITCHED);
      expect(texts(all)).toEqual([
        "Session acquired for VM_ID: 1",
        "Starting X session at VM 1",
        "Waiting for X session to come up on VM 1",
        "Connecting X session for VM_ID: 1",
        "Connection established",
      ]);
      const key = /X-QVD-Slave-Key: ([A-Za-z0-9]{64})\r\n\r\n$/.exec(all)?.[1];
      expect(key).toBe(lastSession().slaveKey);
      expect(lastSession().client).toMatchObject({ geometry: "800x600", link: "adsl" });
      client.send("NXPROXY-3.5.0");
      await client.expect(/^NXPROXY-3\.5\.0$/);
      client.close();
      await until("the end is recorded", () => lastSession().end !== undefined);
      expect(lastSession().end).toEqual({ cause: "client-left", bytesToClient: 13, bytesFromClient: 13 });
    });

  test("passes on what came together with the head, byte by byte or not", async () => {
    const client = await door.open();
    client.send(`${connectRequest(1)}early`);
    client.send(" bird");
    await client.expect(SWITCHED);
    await client.expect(/^early bird$/);
  });

  test("waits for a desktop that starts, and says so until it runs", async () => {
    door.store.onRequest = (session) => {
      door.store.append(session.vmId, "start-taken");
      setTimeout(() => reportListening(door.store, session, desktop.port), 180);
    };
    const client = await door.open();
    client.send(connectRequest(2));
    const said = texts(await client.expect(SWITCHED));
    expect(said.slice(0, 3)).toEqual([
      "Session acquired for VM_ID: 2",
      "Starting virtual machine",
      "Waiting for VM to reach state 'running'",
    ]);
    expect(said.at(-1)).toBe("Connection established");
  });

  test("goes on at once when woken", async () => {
    const slow = await openBrokerDoor({ limits: { pollMs: 60_000 } });
    slow.store.addDesktop(1, 1);
    slow.store.onRequest = (session) =>
      setTimeout(() => {
        reportListening(slow.store, session, desktop.port);
        slow.wake(1);
      }, 50);
    const client = await slow.open();
    client.send(connectRequest(1));
    await client.expect(SWITCHED, 10_000);
    expect(slow.wakes).toContain(1);
    await slow.close();
  });
});

describe("a connect that fails", () => {
  test("gives the trail's reason when the start was given up", async () => {
    door.store.onRequest = (session) => {
      door.store.append(session.vmId, "start-given-up", "The image of ‘office’ is broken.");
    };
    const client = await door.open();
    client.send(connectRequest(2));
    const reason = Buffer.from(await refusalOf(client), "latin1").toString();
    expect(reason).toBe("The image of ‘office’ is broken, retry later.");
    expect(lastSession().end?.cause).toBe("start-failed");
  });

  test("gives the node's reason when the session could not be prepared", async () => {
    door.store.onRequest = (session) => {
      session.state = "failed";
      session.faultText = "The account was refused.";
    };
    const client = await door.open();
    client.send(connectRequest(1));
    expect(await refusalOf(client)).toBe("The account was refused, retry later.");
  });

  test("says that the desktop was stopped meanwhile", async () => {
    door.store.onRequest = (session) => {
      const target = door.store.desktops.get(session.vmId);
      if (target !== undefined) target.wish = "stopped";
    };
    const client = await door.open();
    client.send(connectRequest(2));
    expect(await refusalOf(client)).toBe("Failed to start virtual machine 2, retry later.");
  });

  test("ends at its deadline", async () => {
    const own = await openBrokerDoor({ limits: { startMs: 600 } });
    own.store.addDesktop(2, 1);
    const client = await own.open();
    client.send(connectRequest(2));
    expect(await refusalOf(client)).toBe("VM didn't reach state 'running'. Timeout, retry later.");
    expect(own.store.sessions[0]?.end?.cause).toBe("timeout");
    await own.close();
  });

  test("says so when nobody listens at the desktop", async () => {
    door.store.onRequest = (session) => reportListening(door.store, session, 1);
    const client = await door.open();
    client.send(connectRequest(1));
    expect(await refusalOf(client)).toBe("The session can't be reached, retry later.");
    expect(lastSession().end?.cause).toBe("connect-failed");
  });

  test("says why, where the desktop's node knows what is wrong", async () => {
    door.store.onRequest = (session) => {
      reportListening(door.store, session, 1);
      const desktop = door.store.desktops.get(session.vmId);
      if (desktop !== undefined) desktop.fault = "network-broken";
    };
    const client = await door.open();
    client.send(connectRequest(1));
    expect(await refusalOf(client)).toBe(
      "The session can't be reached: the desktop's network is broken; an administrator sees more, retry later.",
    );
  });

  test("says so while there is no database, and works again after", async () => {
    door.store.isAway = true;
    const client = await door.open();
    client.send(connectRequest(1));
    const { status, body } = await client.answer();
    expect([status, body]).toEqual([503, "The database does not answer"]);
    await client.expectEnd();
    door.store.isAway = false;
    (await sitDown()).close();
  });
});

describe("an administrator", () => {
  test("ends a session that runs", async () => {
    const client = await sitDown();
    lastSession().isEndWished = true;
    door.wake(1);
    await client.expectEnd();
    await until("the end is recorded", () => lastSession().end !== undefined);
    expect(lastSession().end?.cause).toBe("ended-by-administrator");
  });
});

describe("a client that vanishes", () => {
  test("before it said anything leaves nothing", async () => {
    const before = desktop.connections.length;
    (await door.open()).terminate();
    const cut = await door.open();
    cut.send("GET /qvd/connect_to_vm?id=1 HT");
    cut.terminate();
    await sleep(50);
    expect(desktop.connections.length).toBe(before);
  });

  for (const how of ["close", "terminate"] as const)
    test(`while it waits is noticed, and its desktop is not connected to (${how})`, async () => {
      door.store.onRequest = () => {};
      const before = desktop.connections.length;
      const client = await door.open();
      client.send(connectRequest(2));
      await client.expect(/Session acquired/);
      client[how]();
      const session = lastSession();
      await until("its sitting ends", () => session.end !== undefined);
      expect(session.end?.cause).toBe("client-left");
      reportListening(door.store, session, desktop.port);
      door.wake(2);
      await sleep(100);
      expect(desktop.connections.length).toBe(before);
    });

  for (const how of ["close", "terminate"] as const)
    test(`in its session closes the desktop's side (${how})`, async () => {
      const closedBefore = desktop.closedCount;
      const client = await sitDown();
      client.send("x");
      await client.expect(/x/);
      client[how]();
      await until("the desktop's side closes", () => desktop.closedCount > closedBefore);
      await until("the end is recorded", () => lastSession().end !== undefined);
      expect(lastSession().end?.cause).toBe("client-left");
    });
});

test("a desktop that sends without end is closed with its client, not read on", async () => {
  const flood = openEchoDesktop(true);
  // Long enough that it isn't this that closes it.
  const own = await openBrokerDoor({ limits: { halfOpenMs: 60_000 } });
  own.store.addDesktop(1, 1, { state: "running", wish: "running" });
  own.store.onRequest = (session) => reportListening(own.store, session, flood.port);
  const client = await own.open();
  client.send(connectRequest(1));
  await client.expect(SWITCHED);
  const pour = setInterval(() => flood.connections[0]?.write(new Uint8Array(100_000)), 1);
  await until("it pours", () => client.received.length > 100_000);
  client.terminate();
  await until("the desktop's side closes", () => flood.closedCount === 1);
  clearInterval(pour);
  await own.close();
  flood.stop();
});

test("a client that floods while its desktop starts is dropped", async () => {
  door.store.onRequest = () => {};
  const client = await door.open();
  client.send(connectRequest(2));
  await client.expect(/Session acquired/);
  client.send(new Uint8Array(200_000));
  await client.expectEnd();
  await until("its sitting ends", () => lastSession().end !== undefined);
});

test("a desktop that closes ends the client's connection, after its last bytes", async () => {
  const client = await sitDown();
  const connection = desktop.connections.at(-1);
  connection?.write("goodbye");
  connection?.end();
  await client.expect(/^goodbye$/);
  await client.expectEnd();
  client.close();
  await until("the end is recorded", () => lastSession().end !== undefined);
  expect(lastSession().end?.cause).toBe("desktop-closed");
});

test("a half-close is passed on, and what is still sent the other way arrives", async () => {
  const silent = openEchoDesktop(true);
  door.store.onRequest = (session) => reportListening(door.store, session, silent.port);
  const client = await sitDown();
  client.send("question");
  client.shutdown();
  await until("the desktop sees the end", () => silent.hasEnded);
  expect(silent.receivedBytes).toBe(8);
  silent.connections[0]?.write("answer");
  await client.expect(/^answer$/);
  silent.connections[0]?.end();
  await client.expectEnd();
  silent.stop();
});

test("a half-closed session doesn't last for ever", async () => {
  const silent = openEchoDesktop(true);
  const own = await openBrokerDoor({ limits: { halfOpenMs: 300 } });
  own.store.addDesktop(1, 1, { state: "running", wish: "running" });
  own.store.onRequest = (session) => reportListening(own.store, session, silent.port);
  const client = await own.open();
  client.send(connectRequest(1));
  await client.expect(SWITCHED);
  client.shutdown();
  await until("the desktop sees the end", () => silent.hasEnded);
  await until("the client's side is closed", () => client.isClosed);
  await until("the end is recorded", () => own.store.sessions[0]?.end !== undefined);
  // It has seen our end long ago; that nobody reads it any more it learns by sending.
  silent.connections[0]?.write("anybody?");
  await until("the desktop's side is closed", () => silent.closedCount === 1);
  await own.close();
  silent.stop();
});

test("an end while the database is away is recorded when it is back", async () => {
  const client = await sitDown();
  door.store.isAway = true;
  client.send("goes on");
  await client.expect(/^goes on$/);
  client.close();
  await sleep(100);
  expect(lastSession().end).toBeUndefined();
  door.store.isAway = false;
  await until("the end is recorded", () => lastSession().end !== undefined);
});

describe("stop_vm", () => {
  const stop = request([
    "GET /qvd/stop_vm?id=1 HTTP/1.1",
    basic("alice"),
    "Connection: Upgrade",
    "Upgrade: QVD/1.0",
  ]);

  test("tells progress until the desktop is down, and keeps the connection", async () => {
    door.store.onStop = (vmId) => {
      setTimeout(() => {
        const target = door.store.desktops.get(vmId);
        if (target !== undefined) target.state = "stopped";
      }, 120);
    };
    const client = await door.open();
    client.send(stop);
    const all = await client.expect(/^[\s\S]*Machine stopped\r\n$/);
    expect(texts(all).slice(0, 2)).toEqual([
      "Stopping virtual machine",
      "Waiting for VM to reach state 'stopped'",
    ]);
    client.send(request(["GET /qvd/ping HTTP/1.1"]));
    expect((await client.answer()).status).toBe(200);
  });

  test("answers 408 when it takes too long", async () => {
    const own = await openBrokerDoor({ limits: { stopMs: 400 } });
    own.store.addDesktop(1, 1, { state: "running", wish: "running" });
    const client = await own.open();
    client.send(stop);
    const { status, body } = await client.answer();
    expect([status, body]).toEqual([408, "VM didn't reach state 'stopped'. Timeout"]);
    await own.close();
  });
});

test("a broker that drains takes nobody new, ends idle talk, keeps sessions and ends with the last", async () => {
  const other = await openBrokerDoor({ limits: { leaveMs: 0 } });
  other.store.addDesktop(1, 1);
  other.store.onRequest = (session) => reportListening(other.store, session, desktop.port);
  const idle = await other.open();
  idle.send(request(["GET /qvd/ping HTTP/1.1"]));
  await idle.expect(/I am alive/);
  const client = await other.open();
  client.send(connectRequest(1));
  await client.expect(SWITCHED);
  other.drain();
  await idle.expectEnd();
  expect(
    await other.open().then(
      (late) => late.expectEnd(),
      () => "refused",
    ),
  ).toBe("refused");
  client.send("on and on");
  await client.expect(/^on and on$/);
  client.close();
  await other.ended;
  expect(other.store.sessions[0]?.end?.cause).toBe("client-left");
});
