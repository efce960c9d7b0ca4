/** What a browser begins, on which server, when the first one doesn't come up: with stand-ins for xinit and what it starts. */

import { afterEach, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { Display } from "../../src/guest/display/display.ts";
import { displayPrograms } from "../../src/guest/display/programs.ts";
import { guestPlaces } from "../../src/guest/places.ts";
import { prepareMachine } from "../../src/guest/prepare-machine.ts";
import { GuestSession } from "../../src/guest/session/guest-session.ts";
import { launch } from "../../src/guest/session/launch.ts";
import type { PrepareOrder } from "../../src/guest/session/order.ts";
import { SESSION_BEGINS } from "../../src/guest/session/scripts.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";

const UID = process.getuid?.() ?? 0;
const ORDER: PrepareOrder = {
  ...{ type: "session-prepare", order: 1, session: 5, access: "browser", accept: "10.77.1.1", slaveKey: "k" },
  account: { login: "alice", uid: UID, fullName: "Alice" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
};

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** `ofXvnc` and `ofNxagent` are what xinit does with each. */
async function setUp({ ofXvnc, ofNxagent }: { readonly ofXvnc: string; readonly ofNxagent: string }) {
  const folder = await mkdtemp("/tmp/qvd-guest-begins-");
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  const places = guestPlaces(`${folder}/run`, `${folder}/channel/guest.sock`);
  prepareMachine(places, () => "boot-0001");
  const begun: string[] = [];
  const launchOf = async (server: string, text: string) => {
    await writeFile(`${folder}/${server}`, `#!/bin/sh\n${text}\n`);
    await chmod(`${folder}/${server}`, 0o755);
    return () => {
      begun.push(server);
      return launch({ command: [`${folder}/${server}`], env: {}, cwd: folder }, places.log);
    };
  };
  await writeFile(places.log, "");
  const [onXvnc, onNxagent] = [await launchOf("xvnc", ofXvnc), await launchOf("nxagent", ofNxagent)];
  const log = silentLog();
  const programs = displayPrograms;
  const session = new GuestSession({
    ...{ places, log, clock: systemClock, isPortOpen: () => true, onChange: () => {} },
    provision: async () => ({ isGood: true, home: folder, gid: UID, shell: "/bin/sh" }),
    launch: onNxagent,
    display: { screen: new Display({ log, programs, openServer: async () => "none is here" }), programs },
    ownServer: { isInstalled: () => true, launch: onXvnc, launchShadow: onNxagent },
    limits: { startMs: 5_000, graceMs: 400 },
  });
  cleanUps.push(() => session.close());
  return { session, begun };
}

const OF_NXAGENT = "echo 'Error: Aborting session.'; exit 1";

test("a session whose program ends at once is not begun again on nxagent", async () => {
  const ofXvnc = `echo "${SESSION_BEGINS}"; exit 0`;
  const { session, begun } = await setUp({ ofXvnc, ofNxagent: OF_NXAGENT });
  expect(await session.prepare(ORDER)).toMatchObject({
    isGood: false,
    fault: "session-start-failed",
    text: expect.stringContaining("the session ended while it was being opened; what its program said is in"),
  });
  expect(begun).toEqual(["xvnc"]);
  // The next one is begun as the first was.
  await session.prepare({ ...ORDER, session: 6 });
  expect(begun).toEqual(["xvnc", "xvnc"]);
});

test("a session whose Xvnc doesn't come up is begun on nxagent, and what kept both is told", async () => {
  const ofXvnc = "echo 'xinit: server error'; exit 1";
  const { session, begun } = await setUp({ ofXvnc, ofNxagent: OF_NXAGENT });
  expect(await session.prepare(ORDER)).toMatchObject({
    text: expect.stringMatching(/^Xvnc ended at its start: .*nxagent ended at its start: /),
  });
  expect(begun).toEqual(["xvnc", "nxagent"]);
});
