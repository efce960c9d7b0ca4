import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/lib/wait.ts";
import { type BrokerDoor, openBrokerDoor } from "../support/broker-door.ts";
import type { QvdClient } from "../support/qvd-client.ts";
import type { TableBrokerStore } from "../support/table-broker-store.ts";
import { createTableWebStore } from "../support/table-web-store.ts";

type Trace = {
  readonly title: string;
  readonly state: string | undefined;
  readonly sent: readonly string[];
  readonly answer: string;
  readonly end: string;
};

const FILE = join(import.meta.dir, "../golden/broker/traces.txt");

function readTraces(): Trace[] {
  const [, ...sections] = readFileSync(FILE, "utf8").split(/^## /m);
  return sections.map((section) => {
    const lines = section.trimEnd().split("\n");
    const marked = (mark: string) =>
      lines.slice(1).flatMap((line) => (line.startsWith(mark) ? [line.slice(2)] : []));
    return {
      title: lines[0] ?? "",
      state: marked("!")[0],
      sent: marked(">"),
      answer: marked("<").join("\n"),
      end: marked("=")[0] ?? "",
    };
  });
}

let door: BrokerDoor;
beforeAll(async () => {
  // As a box has it: the gateway looks at the first line of each connection.
  door = await openBrokerDoor({ web: createTableWebStore(() => undefined) });
  door.store.addDesktop(1, 1, { state: "running", wish: "running" });
  door.store.addDesktop(2, 1);
  door.store.addDesktop(3, 1, { isApplication: true });
  door.store.addDesktop(4, 1, { state: "running", wish: "running", isBlocked: true });
  door.store.addDesktop(5, 2);
  door.store.addDesktop(6, 1);
});
afterAll(() => door.close());

/** The answer as a pattern: `…` stands for anything, the rest for itself. */
function patternOf(answer: string): RegExp {
  const escaped = answer
    .split("…")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[\\s\\S]+?");
  return new RegExp(`^${escaped}$`);
}

async function sendIn(client: QvdClient, text: string, isByteByByte: boolean): Promise<void> {
  if (!isByteByByte) return client.send(text);
  for (const character of text) {
    client.send(character);
    await sleep(0);
  }
}

function nodeIn(state: string | undefined): TableBrokerStore["node"] {
  if (state === "unregistered") return undefined;
  return { isBlocked: state === "blocked", state: state === "stopping" ? "stopping" : "running" };
}

for (const trace of readTraces())
  test(`trace ${trace.title}`, async () => {
    const sessionsBefore = door.store.sessions.length;
    for (const eol of ["\r\n", "\n"])
      for (const isByteByByte of [false, true]) {
        const client = await door.open();
        door.store.node = nodeIn(trace.state);
        await sendIn(client, trace.sent.join(eol) + eol, isByteByByte);
        const { head, body } = await client.answer();
        // Lines end in CRLF whatever the client sent; the body keeps its own.
        expect(head.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
        expect((head + body).replaceAll("\r\n", "\n")).toMatch(patternOf(trace.answer));
        if (trace.end === "closed") await client.expectEnd();
        else {
          door.store.node = { isBlocked: false, state: "running" };
          client.send("GET /qvd/ping HTTP/1.1\n\n");
          expect((await client.answer()).body).toBe("I am alive!\r\n");
          expect(client.hasEnded).toBe(false);
        }
        client.close();
      }
    // Nothing here may have had an effect.
    expect(door.store.sessions.length).toBe(sessionsBefore);
  });

test("requests sent together are answered in order", async () => {
  const client = await door.open();
  client.send("GET /qvd/ping HTTP/1.1\n\nGET /foo HTTP/1.1\r\n\r\nGET /qvd/ping HTTP/1.1\n\n");
  expect([(await client.answer()).status, (await client.answer()).status]).toEqual([200, 404]);
  expect((await client.answer()).body).toBe("I am alive!\r\n");
});

test("what was proved on a connection is not asked again, other credentials are", async () => {
  const client = await door.open();
  const asked = door.asked.length;
  const list = (login: string, password = "secret") => {
    const encoded = Buffer.from(`${login}:${password}`).toString("base64");
    client.send(`GET /qvd/list_of_vm HTTP/1.1\nAuthorization: Basic ${encoded}\n\n`);
    return client.answer();
  };
  expect((await list("alice")).status).toBe(200);
  expect((await list("alice")).status).toBe(200);
  expect(door.asked.length).toBe(asked + 1);
  expect((await list("carol")).body).toContain('"id" : 5');
  expect((await list("alice", "wrong")).status).toBe(401);
  expect((await list("busy")).body).toBe("Too many people sign in.");
  expect(door.asked.length).toBe(asked + 4);
});
