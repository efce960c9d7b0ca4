import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { systemClock } from "../../lib/clock.ts";
import { silentLog } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { Display } from "../display/display.ts";
import { displayPrograms } from "../display/programs.ts";
import { readProcess } from "./processes.ts";
import { type SessionRecord, writeRecord } from "./record.ts";
import { SESSION_LIMITS } from "./session-limits.ts";
import { VncSession } from "./vnc-session.ts";

test("what showed the session to an NX client is ended where an agent finds it beside a server that is gone", async () => {
  const folder = mkdtempSync("/tmp/qvd-vnc-session-");
  const at = (name: string) => `${folder}/${name}`;
  const shadow = Bun.spawn(["sleep", "600"], { detached: true });
  try {
    const [own, mark] = [readProcess(process.pid), readProcess(shadow.pid)];
    if (own === undefined || mark === undefined) throw new Error("no processes");
    const person = { session: 7, login: "bea", uid: own.uid, nxagent: null };
    const gone = { pid: own.pid, startTicks: own.startTicks + 1 };
    const record: SessionRecord = { ...person, leader: gone, program: "Xtigervnc", socket: at("rfb") };
    writeRecord(at("session.json"), record);
    writeRecord(at("shadow.json"), { ...person, leader: mark, program: "nxagent" });
    writeFileSync(at("shadow.log"), "Session: Session started at 'now'.\n");
    const session = openSession(folder);
    session.recover();
    expect(session.state).toBe("none");
    const isOver = () => !existsSync(at("shadow.json"));
    expect(await waitFor(isOver, { timeoutMs: 10_000, everyMs: 10 })).toBe(true);
    await shadow.exited;
    expect(session.state).toBe("none");
  } finally {
    shadow.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}, 15_000);

function openSession(folder: string): VncSession {
  const log = silentLog();
  const launch = () => {
    throw new Error("nothing is to be started");
  };
  const base = { log, clock: systemClock, launch, isPortOpen: () => false, onChange: () => {} };
  const placesOf = (name: string) => ({
    record: `${folder}/${name}.json`,
    log: `${folder}/${name}.log`,
    state: `${folder}/nxagent.state`,
  });
  return new VncSession({
    server: { ...base, places: placesOf("session") },
    shadow: { ...base, places: placesOf("shadow") },
    optionsPath: `${folder}/options`,
    passwordPath: `${folder}/password`,
    limits: SESSION_LIMITS,
    display: {
      programs: displayPrograms,
      screen: new Display({ log, programs: displayPrograms, openServer: async () => "none" }),
    },
    onAssign: () => {},
  });
}
