/**
 * Stands in for a broker worker where its supervision is tested: `stand-in-broker.ts FOLDER [broken|busy]`. Says in FOLDER
 * what a broker says of itself, and logs the signals that it gets. `busy` has a session that doesn't end.
 */

import { type BrokerState, brokerStateFile, writeBrokerState } from "../../src/wire/broker/state-file.ts";

const [folder = "", kind = ""] = process.argv.slice(2);
if (kind === "broken") process.exit(1);

const tell = (phase: BrokerState["phase"], deadlineAtMs: number | null) =>
  writeBrokerState(brokerStateFile(folder, process.pid), {
    ...{ phase, deadlineAtMs, certificateEndsAtMs: null, tlsFault: null },
    ...{ open: 1, sessions: kind === "busy" ? 1 : 0 },
  });
const drain = (signal: string) => {
  console.log(signal);
  tell("draining", Date.now() + 3_600_000);
  if (kind !== "busy") process.exit(0);
};
process.on("SIGTERM", drain);
process.on("SIGUSR2", drain);
process.on("SIGINT", () => process.exit(0));
await Bun.sleep(Number(process.env.READY_AFTER_MS ?? 0));
tell("listening", null);
setInterval(() => {}, 60_000);
