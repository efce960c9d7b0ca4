/** What `qvd connect` finds out of who answers, before it asks for a password. */

import { afterEach, beforeAll, expect, test } from "bun:test";
import { meetBroker } from "../../src/client/meet-broker.ts";
import { isAppError } from "../../src/lib/errors.ts";
import { createTlsPair } from "../support/tls-pair.ts";

let pair: { readonly tlsKey: string; readonly tlsCertificate: string };
beforeAll(async () => {
  pair = await createTlsPair();
});

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** Says `answer` to whatever comes first; undefined: nothing at all. */
function listen(answer: string | undefined) {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key: pair.tlsKey, cert: pair.tlsCertificate },
    socket: {
      data: (socket) => void (answer === undefined || socket.write(answer)),
    },
  });
  cleanUps.push(() => server.stop(true));
  return { host: "127.0.0.1", port: server.port };
}

async function meet(place: { host: string; port: number }, signal = new AbortController().signal) {
  const options = { place, signal, requireTrust: async () => {}, answerMs: 300 };
  return await meetBroker(options).then(
    () => "met",
    (error: unknown) => (isAppError(error) ? error.message : String(error)),
  );
}

const answerOf = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test.each([
  ["a broker", answerOf("200 OK", "I am alive!\r\n"), "met"],
  ["one that takes nobody now", answerOf("503 Service Unavailable", "Full."), "met"],
  ["a page's server", answerOf("200 OK", "<html>"), "no QVD broker"],
  ["a mail server", "* OK ready\r\n\r\n", "no QVD broker"],
  ["what says nothing", undefined, "nothing is said there for 0.3 s, so it is no QVD broker"],
  ["what begins and says no more", "HTTP/1.1 200 OK\r\n", "nothing is said there"],
] as const)("%s", async (_, answer, expected) => {
  const place = listen(answer);
  expect(await meet(place)).toContain(expected);
});

test("leaves at a signal, without a word about brokers", async () => {
  const place = listen(undefined);
  const stop = new AbortController();
  const met = meetBroker({ place, signal: stop.signal, requireTrust: async () => stop.abort("SIGINT") });
  expect(await met.catch((error: unknown) => error)).toBe("SIGINT");
});
