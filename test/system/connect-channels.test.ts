/**
 * What `qvd connect` brings of its PC when it is asked to: from the command line, through a broker, into a real desktop, with a
 * real PulseAudio, CUPS and sftp-server at the person's side, who has no rights there beyond their own.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, readdir, symlink, writeFile } from "node:fs/promises";
import { connect as connectTo } from "node:net";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { createGuestChannels, type GuestChannels } from "../../src/node/guest-channel/guest-channels.ts";
import { type BrokerDoor, openBrokerDoor, reportListening } from "../support/broker-door.ts";
import { buildPeripheralsRoot } from "../support/peripherals-root.ts";
import { createTlsPair } from "../support/tls-pair.ts";
import { createGuestLab, type GuestLab } from "./guest-lab.ts";
import { ClientSide, type ConnectingClient, hearPitch } from "./peripherals-lab.ts";

const PLACE = { instance: "chnlab", network: "172.29.12", screen: ":88" };
const PORTS = { media: 27_141, cups: 27_142, slave: 27_143 };
const AS_USER =
  "setpriv --reuid=2001 --regid=2001 --clear-groups env HOME=/home/bea XDG_RUNTIME_DIR=/run/user/2001";
const PRINTING = "env CUPS_SERVER=/run/user/2001/qvd-cups/cups.sock";

let lab: GuestLab;
let channels: GuestChannels;
let client: ClientSide;
let door: BrokerDoor;
let fingerprint: string;
let connecting: ConnectingClient | undefined;
const failures: string[] = [];

beforeAll(async () => {
  // As udev leaves it on a box; a container that tests run in may have no udev.
  await chmod("/dev/fuse", 0o666);
  lab = await createGuestLab({ place: PLACE, archive: await buildPeripheralsRoot(), hasSession: true });
  channels = createGuestChannels({
    log: silentLog(),
    clock: systemClock,
    onEvent: (_vmId, event) => {
      if (event.type === "channel-failed") failures.push(`${event.channel}: ${event.text}`);
    },
  });
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
  client = await ClientSide.start(PORTS, PLACE.screen);
  await lab.start();
  await waitFor(() => channels.read(lab.vmId)?.address !== null, { timeoutMs: 60_000, everyMs: 20 });
  const tls = await createTlsPair();
  fingerprint = new Bun.CryptoHasher("sha256").update(derOf(tls.tlsCertificate)).digest("hex");
  door = await openBrokerDoor({ listen: { address: "127.0.0.1", port: 0, ...tls } });
  door.store.addDesktop(7, 1, { state: "running", wish: "running" });
  door.store.onRequest = (session) => {
    const { id, client: parameters, slaveKey } = session;
    const account = { login: "bea", uid: 2001, fullName: "Bea" };
    const request = { session: id, account, client: parameters, accept: `${PLACE.network}.1`, slaveKey };
    void channels.prepareSession(lab.vmId, request).then(() => {
      reportListening(door.store, session, 4100);
      session.address = `${PLACE.network}.10`;
      door.wake(session.vmId);
    });
  };
}, 660_000);

afterAll(async () => {
  await client?.stop();
  await door?.close();
  channels?.closeAll();
  await lab?.stop();
}, 180_000);

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
}

async function connect(...words: readonly string[]): Promise<ConnectingClient> {
  failures.length = 0;
  const place = ["--host", `127.0.0.1:${door.port}`, "--user", "alice", "--vm", "7", "--geometry", "800x600"];
  const begun = client.qvdConnect([...place, "--accept-certificate", fingerprint, ...words], "secret");
  connecting = begun;
  const isThere = () => channels.read(lab.vmId)?.xState === "connected" || begun.child.exitCode !== null;
  await waitFor(isThere, { timeoutMs: 60_000, everyMs: 20 });
  expect(channels.read(lab.vmId)?.xState, begun.said()).toBe("connected");
  return begun;
}

async function leave(): Promise<void> {
  connecting?.child.kill("SIGTERM");
  await connecting?.child.exited;
  const isGone = () => channels.read(lab.vmId)?.xState === "suspended";
  expect(await waitFor(isGone, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
}

const asUser = (text: string) => lab.inside(`${AS_USER} sh -c '${text}' 2>&1`);

async function awaitInside(text: string, wanted: RegExp, timeoutMs = 60_000): Promise<string> {
  let said = "";
  const isSaid = async () => {
    // A question to a sound server that has just lost its client may take 30 s; it is asked again.
    said = await lab.inside(`timeout --kill-after=1 10 ${AS_USER} sh -c '${text}' 2>&1`);
    return wanted.test(said);
  };
  await waitFor(isSaid, { timeoutMs, everyMs: 200 });
  return said;
}

/** Plays a tone of 400 Hz in the desktop for ever. */
async function playTone(): Promise<void> {
  const second = Int16Array.from({ length: 8_000 }, (_, at) => 12_000 * Math.sin((2 * Math.PI * at) / 20));
  const wave = Buffer.from(second.buffer).toString("base64");
  await lab.inside(`echo ${wave} | base64 -d > /home/bea/wave`);
  const play = "while cat /home/bea/wave; do :; done | pacat --format=s16le --rate=8000 --channels=1";
  await asUser(`(${play}) > /dev/null 2>&1 &`);
}

async function isHeard(hertz: number): Promise<boolean> {
  const isLoud = async () => {
    const heard = hearPitch(await client.record(1_200));
    return heard.loudness > 1_000 && Math.abs(heard.hertz - hertz) <= 5;
  };
  return (await waitFor(isLoud, { timeoutMs: 60_000, everyMs: 50 })) === true;
}

const TUNNEL = "PULSE_SERVER=tcp:127.0.0.1:7100";

describe("a person who asks for nothing", () => {
  test("brings a screen and no channel", async () => {
    await connect();
    const options = await lab.inside("cat /run/qvd-guest/nxagent.options");
    expect(options).not.toMatch(/media=|cups=|slave=/);
    expect(await lab.inside("ss -ltn | grep -cE ':(7100|2100|11100) '")).toBe("0");
    expect(await lab.inside("pgrep -c 'pulseaudio|cupsd'")).toBe("0");
    await leave();
    expect(failures).toEqual([]);
  }, 180_000);
});

describe("sound", () => {
  test("of the desktop comes out of the person's loudspeaker", async () => {
    await connect("--sound");
    expect(await awaitInside("pactl get-default-sink", /qvd_client/)).toContain("qvd_client");
    await playTone();
    expect(await isHeard(400)).toBe(true);
  }, 180_000);

  test("is all that the desktop gets: no microphone, no module, nobody else's streams", async () => {
    expect(await asUser("pactl list short sources")).not.toContain("qvd_microphone");
    const refused = /access denied/i;
    for (const asked of [
      "load-module module-null-sink",
      "list modules",
      "list sink-inputs",
      "set-sink-volume 0 10%",
    ])
      expect(await awaitInside(`${TUNNEL} pactl ${asked}`, refused)).toMatch(refused);
    expect(await awaitInside(`${TUNNEL} timeout 5 parec > /dev/null`, refused)).toMatch(refused);
    // And it plays on.
    expect(await isHeard(400)).toBe(true);
    expect(failures).toEqual([]);
  }, 180_000);

  test("comes by a port that is shut to everybody else who works on the PC", async () => {
    const [, port] = /media=(\d+)/.exec((await run(["ps", "-o", "args=", "-C", "nxproxy"])).stdout) ?? [];
    // This test is another user than the person.
    const socket = connectTo(Number(port), "127.0.0.1");
    const ended = new Promise<number>((resolve) => {
      let size = 0;
      socket.on("data", (chunk) => {
        size += chunk.length;
      });
      socket.on("error", () => {});
      socket.on("close", () => resolve(size));
    });
    expect(await ended).toBe(0);
    await leave();
  }, 180_000);

  test("goes both ways for whoever asks for the microphone", async () => {
    await connect("--microphone");
    expect(await isHeard(400)).toBe(true);
    expect(await awaitInside("pactl get-default-source", /qvd_microphone/)).toContain("qvd_microphone");
    const words = "--format=s16le --rate=8000 --channels=1 --latency-msec=20";
    const isHeardInside = async () => {
      await asUser(`timeout 3 parec -d qvd_microphone ${words} > /home/bea/heard`);
      const bytes = Buffer.from(await lab.inside("base64 -w0 /home/bea/heard"), "base64");
      const heard = hearPitch(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1));
      return Math.abs(heard.hertz - 880) <= 5 && heard.loudness > 1_000;
    };
    expect(await waitFor(isHeardInside, { timeoutMs: 60_000 })).toBe(true);
    await leave();
  }, 180_000);
});

describe("printing", () => {
  test("brings the person's printers, and what is printed comes out there", async () => {
    await connect("--print");
    const said = await awaitInside(`${PRINTING} lpstat -d -e`, /^system default/m);
    expect(said.split("\n").sort()).toEqual(["QVD-desk", "QVD-hall", "system default destination: QVD-desk"]);
    await asUser(`echo first words | ${PRINTING} lp; echo second words | ${PRINTING} lp -d QVD-hall`);
    expect(await client.awaitPrinted("first words", 60_000)).toBe(true);
    expect(await client.awaitPrinted("second words", 60_000)).toBe(true);
  }, 180_000);

  test("takes a job of many pages as it is", async () => {
    await asUser(`(seq 1 400000; echo the last line) | ${PRINTING} lp`);
    expect(await client.awaitPrinted("the last line", 60_000)).toBe(true);
  }, 180_000);

  test("lets the desktop make no printer", async () => {
    expect(await asUser("lpadmin -h 127.0.0.1:2100 -p mine -E -v socket://127.0.0.1:9 -m raw")).toMatch(
      /forbidden/i,
    );
    await leave();
    expect(failures).toEqual([]);
  }, 180_000);
});

describe("a shared folder", () => {
  let folder: string;
  const inShare = (text: string) => asUser(`cd "/home/bea/Redirected/my papers" && ${text}`);
  const isThere = async () => (await inShare("cat letter.txt")) === "dear desk";

  test("is in the desktop, and takes what is written there", async () => {
    folder = await client.makeFolder("my papers");
    await writeFile(`${folder}/letter.txt`, "dear desk\n");
    await writeFile(`${client.folder}/run/secret`, "not for desktops\n", { mode: 0o644 });
    await symlink("../run/secret", `${folder}/way-out`);
    await symlink(`${client.folder}/run`, `${folder}/absolute-way-out`);
    const { said } = await connect("--share", folder);
    expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 100 }), said()).toBe(true);
    const isTold = () => said().includes(`${folder} is ~/Redirected/my papers in the desktop`);
    expect(await waitFor(isTold, { timeoutMs: 60_000 }), said()).toBe(true);
    expect(await inShare("mkdir made && echo written there > made/note && mv made/note note")).toBe("");
    expect(await Bun.file(`${folder}/note`).text()).toBe("written there\n");
  }, 180_000);

  test("is where the desktop ends: no link and no path leads out of it", async () => {
    for (const way of ["way-out", "../run/secret", "absolute-way-out/secret"])
      expect(await inShare(`cat "${way}"`)).toMatch(/no such file|not permitted/i);
    expect(await inShare("ln -s /etc planted")).toMatch(/denied|not permitted/i);
    expect(await inShare("ln letter.txt twice || echo refused")).toContain("refused");
    expect((await readdir(folder)).filter((name) => ["planted", "twice"].includes(name))).toEqual([]);
    await leave();
    expect(await awaitInside("cat /proc/mounts | grep -c fuse.sshfs", /^0$/)).toBe("0");
  }, 180_000);

  test("is read only for whoever says so, and read as before", async () => {
    const { said } = await connect("--share-read-only", folder);
    expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 100 }), said()).toBe(true);
    expect(await inShare("echo no > more")).toMatch(/read-only|denied|not permitted/i);
    expect(await inShare("rm letter.txt")).toMatch(/read-only|denied|not permitted/i);
    expect(await Bun.file(`${folder}/letter.txt`).text()).toBe("dear desk\n");
    await leave();
  }, 180_000);
});

describe("what the PC hasn't got is said before anything is sent", () => {
  const cases: readonly [what: string, words: readonly string[], answer: RegExp][] = [
    ["a folder that isn't there", ["--share", "/nowhere"], /--share \/nowhere: there is no such folder/],
    ["the whole disk", ["--share", "/"], /your keys and settings/],
  ];
  test.each(cases)("%s", async (_what, words, answer) => {
    const asked = door.asked.length;
    const begun = client.qvdConnect(["--host", `127.0.0.1:${door.port}`, "--user", "alice", ...words], "x");
    expect(await begun.child.exited).toBe(2);
    expect(begun.said()).toMatch(answer);
    expect(door.asked.length).toBe(asked);
  });
});
