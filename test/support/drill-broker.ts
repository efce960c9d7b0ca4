/**
 * A broker worker as its node would start it, with tables for its database: `drill-broker.ts OPTIONS`, JSON of
 * DrillBroker. Everybody is alice and desktop 1 is hers. Says in the state folder how it is, on stdout who asks.
 */

import { readFileSync } from "node:fs";
import { parseBalancers } from "../../src/broker/balancers.ts";
import { runBroker } from "../../src/broker/run-broker.ts";
import { silentLog } from "../../src/lib/log.ts";
import { brokerStateFile, removeBrokerState, writeBrokerState } from "../../src/wire/broker/state-file.ts";
import { reportListening } from "./broker-door.ts";
import { playAuth } from "./played-auth.ts";
import { TableBrokerStore } from "./table-broker-store.ts";

export type DrillBroker = {
  readonly port: number;
  readonly desktopPort: number;
  readonly key: string;
  readonly certificate: string;
  readonly states: string;
  readonly balancers: string;
  readonly leaveMs: number;
};

const options: DrillBroker = JSON.parse(process.argv[2] ?? "");
const store = new TableBrokerStore();
store.addDesktop(1, 1, { state: "running", wish: "running" });
store.onRequest = (session) => reportListening(store, session, options.desktopPort);
const [stopped, replaced, endNow] = [new AbortController(), new AbortController(), new AbortController()];
process.on("SIGTERM", () => stopped.abort());
process.on("SIGUSR2", () => replaced.abort());
process.on("SIGINT", () => endNow.abort());
const stateFile = brokerStateFile(options.states, process.pid);
await runBroker({
  listen: {
    address: "127.0.0.1",
    port: options.port,
    tlsKey: readFileSync(options.key, "utf8"),
    tlsCertificate: readFileSync(options.certificate, "utf8"),
    balancers: parseBalancers(options.balancers),
  },
  store,
  auth: {
    ...playAuth(),
    verify: async ({ origin }) => {
      console.log(origin);
      return {
        ...{ id: 0, outcome: "accepted", userId: 1, login: "alice", by: "local" },
        ...{ tenantId: 1, tenantName: "default" },
      };
    },
  },
  connectWakes: () => ({ wake: () => {}, close: () => {} }),
  log: silentLog(),
  limits: { leaveMs: options.leaveMs },
  signal: stopped.signal,
  replaced: replaced.signal,
  endNow: endNow.signal,
  onState: (state) => writeBrokerState(stateFile, state),
});
removeBrokerState(stateFile);
process.exit();
