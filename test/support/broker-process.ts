/**
 * A broker alone in a process, for measuring it: `broker-process.ts DESKTOP_PORT KEY_FILE CERTIFICATE_FILE [AUTH_SOCKET]`.
 * Alice is whoever says so, all others are whom AUTH_SOCKET takes them for; every number is a desktop of hers that
 * listens at DESKTOP_PORT. Prints its port.
 */

import { readFileSync } from "node:fs";
import { createAuthClient } from "../../src/auth/client.ts";
import { runBroker } from "../../src/broker/run-broker.ts";
import { asId, type SessionId, type UserId, type VmId } from "../../src/domain/ids.ts";
import { silentLog } from "../../src/lib/log.ts";
import type { AuthAnswer } from "../../src/wire/auth/messages.ts";
import { reportListening } from "./broker-door.ts";
import { playAuth } from "./played-auth.ts";
import { TableBrokerStore } from "./table-broker-store.ts";
import { createTableWebStore } from "./table-web-store.ts";

const [desktopPort = "", keyFile = "", certificateFile = "", authSocket] = process.argv.slice(2);
const asked = authSocket === undefined ? undefined : createAuthClient({ path: authSocket, log: silentLog() });
const MOST_DESKTOPS = 5_000;
const ALICE: AuthAnswer = {
  ...{
    id: 0,
    outcome: "accepted",
    userId: 1,
    login: "alice",
    tenantId: 1,
    tenantName: "default",
    by: "local",
  },
};

const store = new TableBrokerStore();
for (let id = 1; id <= MOST_DESKTOPS; id++) store.addDesktop(id, 1, { state: "running", wish: "running" });
// A look at all of them would be the bench's work, not the broker's.
const [firstDesktop] = await store.listDesktops(asId<UserId>(1));
store.listDesktops = async () => (firstDesktop === undefined ? [] : [firstDesktop]);
store.onRequest = (session) => reportListening(store, session, Number(desktopPort));
const recordConnected = store.recordConnected.bind(store);
// Rows would be in the database: this process keeps none, so that its memory is the broker's.
store.recordConnected = async (sessionId) => {
  const isClaimed = await recordConnected(sessionId);
  const at = store.sessions.findIndex(({ id }) => id === sessionId);
  if (at !== -1) store.sessions.splice(at, 1);
  store.events.length = 0;
  return isClaimed;
};
/** Whoever has signed in by browser sits at all of them. */
const screenOf = (vmId: number) => ({
  ...{ id: asId<SessionId>(vmId), vmId: asId<VmId>(vmId), slaveKey: "key" },
  ...{ address: "127.0.0.1", port: Number(desktopPort), elsewhere: undefined },
});
const stopped = new AbortController();
process.once("SIGTERM", () => stopped.abort());

await runBroker({
  listen: {
    address: "127.0.0.1",
    port: 0,
    tlsKey: readFileSync(keyFile, "utf8"),
    tlsCertificate: readFileSync(certificateFile, "utf8"),
  },
  store,
  web: createTableWebStore(() => 1, screenOf),
  auth: {
    ...playAuth(),
    verify: async (question, signal) => {
      if (asked !== undefined && question.login !== "alice") return await asked.verify(question, signal);
      return ALICE;
    },
  },
  connectWakes: () => ({ wake: () => {}, close: () => {} }),
  log: silentLog(),
  signal: stopped.signal,
  endNow: stopped.signal,
  onReady: (port) => console.log(port),
});
