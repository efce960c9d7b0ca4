/**
 * A desktop of each recipe that comes with QVD, started for real: its session comes up at a client, and the
 * programs that the recipe promises are there and run. Builds what isn't cached, which takes minutes, so it
 * is in the long form.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/lib/clock.ts";
import { silentLog } from "../../../src/lib/log.ts";
import { runOk } from "../../../src/lib/run.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type PrepareRequest,
} from "../../../src/node/guest-channel/guest-channels.ts";
import { createGuestLab, createScreen, type GuestLab } from "../guest-lab.ts";

const ROOT = `${import.meta.dir}/../../..`;
const isLong = process.env.QVD_TEST_LONG === "1";
const BUILD_MS = 30 * 60_000;

const PLACE = { instance: "rcplab", network: "172.29.33", screen: ":74" };

const REQUEST: PrepareRequest = {
  session: 1,
  account: { login: "alice", uid: 2001, fullName: "Alice" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false },
  accept: `${PLACE.network}.1`,
  slaveKey: "k",
};

const PROMISES: Readonly<Record<string, readonly string[]>> = {
  light: [
    "firefox-esr --version",
    "xfce4-terminal --version",
    "test -x /usr/bin/X0tigervnc",
    "test -x /usr/bin/Xtigervnc",
    "test -x /usr/bin/i3lock",
  ],
  office: [
    "libreoffice --version",
    "thunderbird --version",
    "evince --version",
    "test -x /usr/bin/lp",
    "test -x /usr/sbin/cupsd",
    "pulseaudio --version",
    "opusenc --version",
    "opusdec --version",
    "sshfs --version",
  ],
  developer: [
    "gcc --version",
    "git --version",
    "python3 -m venv --help",
    "tmux -V",
    "geany --version",
    "psql --version",
  ],
};

describe.skipIf(!isLong).each(Object.keys(PROMISES))(
  "a desktop of the recipe %s (long form: set QVD_TEST_LONG=1)",
  (name) => {
    let lab: GuestLab;
    let screen: Awaited<ReturnType<typeof createScreen>>;
    let channels: GuestChannels;

    beforeAll(async () => {
      const archive = (
        await runOk("building", [`${ROOT}/script/build-image`, name], { timeoutMs: BUILD_MS })
      ).trim();
      lab = await createGuestLab({ archive, memoryMb: 2048, place: PLACE });
      screen = await createScreen(PLACE);
      channels = createGuestChannels({ log: silentLog(), clock: systemClock, onEvent: () => {} });
      channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
      await lab.start();
    }, BUILD_MS);

    afterAll(async () => {
      channels?.closeAll();
      await screen?.stop();
      await lab?.stop();
    }, 60_000);

    test("shows its panel and its background at the client", async () => {
      const isAttached = () => (channels.read(lab.vmId)?.address ?? null) !== null;
      expect(await waitFor(isAttached, { timeoutMs: 30_000 })).toBe(true);
      await channels.prepareSession(lab.vmId, REQUEST);
      const isListening = () => channels.read(lab.vmId)?.xState === "listening";
      expect(await waitFor(isListening, { timeoutMs: 30_000 })).toBe(true);
      const client = screen.connect();
      const isPainted = async () => (await client.countColours()) > 100;
      expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 500 })).toBe(true);
      const isUp = async () => {
        const processes = (await lab.inside("ps -eo comm=")).split("\n");
        return ["icewm", "xfce4-panel", "xfdesktop"].every((one) => processes.includes(one));
      };
      expect(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 500 })).toBe(true);
      await client.drop();
    }, 180_000);

    test("has the programs that it promises", async () => {
      for (const program of PROMISES[name] ?? []) {
        const said = await lab.inside(`su - alice -c '${program}' > /dev/null 2>&1 && echo runs`);
        expect(`${program}: ${said}`).toBe(`${program}: runs`);
      }
    }, 120_000);
  },
);
