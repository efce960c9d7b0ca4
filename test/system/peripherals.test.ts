/** Sound, printing and shared folders of a real desktop, with PulseAudio, CUPS and sftp-server at the client's side. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, writeFile } from "node:fs/promises";
import { waitFor } from "../../src/lib/wait.ts";
import { buildPeripheralsRoot } from "../support/peripherals-root.ts";
import { ChannelsLab, KEY } from "./channels-lab.ts";
import type { ShareAnswer } from "./peripherals-lab.ts";

const PLACE = { instance: "perlab", network: "172.29.9", screen: ":97" };
const PORTS = { media: 27_131, cups: 27_132, slave: 27_133, smb: 27_134 };
/** As the session's start has it for programs. */
const PRINTING = "env CUPS_SERVER=/run/user/2001/qvd-cups/cups.sock";
const CUPS_LOG = "tail -20 /run/user/2001/qvd-cups/error_log";

// PulseAudio and CUPS take their time on a busy machine.
setDefaultTimeout(300_000);

let lab: ChannelsLab;

beforeAll(async () => {
  // As udev leaves it on a box; a container that tests run in may have no udev.
  await chmod("/dev/fuse", 0o666);
  lab = await ChannelsLab.open(PLACE, PORTS, await buildPeripheralsRoot());
}, 660_000);

afterAll(async () => {
  await lab?.stop();
}, 180_000);

describe("a client that asks for nothing", () => {
  test("gets its screen and no channel", async () => {
    await lab.connect({ "qvd.client.slave.enable": "0" }, ["media", "cups", "slave"]);
    const options = await lab.desktop.inside("cat /run/qvd-guest/nxagent.options");
    expect(options).not.toMatch(/media=|cups=|slave=/);
    expect(await lab.desktop.inside("pgrep -c 'pulseaudio|cupsd'")).toBe("0");
    await lab.leave();
    expect(lab.failures).toEqual([]);
  });
});

const EVERYTHING = {
  "qvd.client.audio.sound.enable": "1",
  "qvd.client.audio.microphone.enable": "1",
  "qvd.client.printing.enabled": "1",
};

// The tests are the chapters of one session, in this order.
describe("sound and printing", () => {
  test("a tone of the desktop is recorded at the client", async () => {
    await lab.connect(EVERYTHING, ["media", "cups", "slave"]);
    expect(await lab.awaitInside("pactl get-default-sink", /qvd_client/)).toContain("qvd_client");
    await lab.playTone();
    expect(await lab.isHeard(400)).toBe(true);
  });

  test("the client's microphone is recorded in the desktop", async () => {
    expect(await lab.awaitInside("pactl get-default-source", /qvd_microphone/)).toContain("qvd_microphone");
    expect(await lab.isHeardInside("qvd_microphone", 880)).toBe(true);
  });

  test("the client's printers are the session's, and the client's usual one is the usual one", async () => {
    const said = await lab.awaitInside(`${PRINTING} lpstat -d -e`, /destination/);
    expect(said.split("\n").sort()).toEqual(["QVD-desk", "QVD-hall", "system default destination: QVD-desk"]);
  });

  test("what a program prints comes out at the client", async () => {
    const print = `echo first words | ${PRINTING} lp; echo second words | ${PRINTING} lp -d QVD-hall`;
    expect(await lab.asUser(print)).toBe(
      "request id is QVD-desk-1 (0 file(s))\nrequest id is QVD-hall-2 (0 file(s))",
    );
    expect(await lab.client.awaitPrinted("first words", 30_000)).toBe(true);
    expect(await lab.client.awaitPrinted("second words", 30_000)).toBe(true);
  });

  test("all of it runs as the session's user", async () => {
    const owners = await lab.desktop.inside("ps -o user= -C pulseaudio,cupsd | sort -u");
    expect(owners).toBe("bea");
    expect(lab.failures).toEqual([]);
  });

  test("without the client the sound goes on into silence and the printers are gone", async () => {
    await lab.leave();
    expect(await lab.awaitInside("pactl get-default-sink", /silence/)).toContain("qvd_silence");
    expect(await lab.awaitInside("pactl list short sink-inputs | wc -l", /^1$/)).toBe("1");
    expect(await lab.awaitInside("pgrep -c cupsd", /^0$/)).toBe("0");
  });

  test("after a resume the tone that went on is heard again, and there are printers", async () => {
    await lab.connect(EVERYTHING, ["media", "cups", "slave"]);
    expect(await lab.isHeard(400)).toBe(true);
    expect(await lab.awaitInside(`${PRINTING} lpstat -e`, /QVD-desk/)).toContain("QVD-desk");
    expect(lab.failures).toEqual([]);
    await lab.leave();
  });

  test("go with their client, where another takes the session over and asks for none", async () => {
    await lab.connect(EVERYTHING, ["media", "cups", "slave"]);
    expect(await lab.awaitInside(`${PRINTING} lpstat -e`, /QVD-desk/)).toContain("QVD-desk");
    await lab.takeOver({}, ["slave"]);
    expect(await lab.awaitInside("pgrep -c cupsd", /^0$/)).toBe("0");
    expect(await lab.awaitInside("pactl get-default-sink", /silence/)).toContain("qvd_silence");
    expect(lab.failures).toEqual([]);
    await lab.leave();
    // By browser, which shows no printers of its computer.
    await lab.connect(EVERYTHING, ["media", "cups", "slave"]);
    expect(await lab.awaitInside(`${PRINTING} lpstat -e`, /QVD-desk/)).toContain("QVD-desk");
    await lab.takeOverByBrowser();
    expect(await lab.awaitInside("pgrep -c cupsd", /^0$/)).toBe("0");
    expect(await lab.awaitInside("pactl get-default-sink", /silence/)).toContain("qvd_silence");
  });

  test("a client that offers what it asked for badly has its session, and the trail says why", async () => {
    await lab.connect(EVERYTHING, ["slave"]);
    const isTold = () => new Set(lab.failures.map(({ channel }) => channel)).size === 2;
    expect(await waitFor(isTold, { timeoutMs: 150_000, everyMs: 50 })).toBe(true);
    const said = lab.failures.map(({ text }) => text).join("\n");
    expect(said).toContain("the client's PulseAudio does not answer");
    expect(said).toContain("the client's CUPS shows no printer");
    expect(lab.xState).toBe("connected");
    await lab.leave();
  });
});

const UPGRADE = "Connection: Upgrade\r\nUpgrade: qvd:sftp/1.0\r\n";
const PROOF = `Authorization: Basic ${KEY}\r\n`;

const putInside = (path: string, text: string) =>
  lab.asUser(`echo ${Buffer.from(text).toString("base64")} | base64 -d > ${path}`);

describe("a folder of the desktop's", () => {
  const ask = (path: string, proof = PROOF) => `GET /shares/${path} HTTP/1.1\r\n${proof}${UPGRADE}\r\n`;

  test("is the client's to read and to write", async () => {
    await lab.connect({}, ["slave"]);
    await lab.asUser("mkdir -p /home/bea/reports");
    await putInside("/home/bea/reports/year.txt", "a good year\n");
    const fetched = `${lab.client.folder}/run/fetched`;
    const back = `get year.txt ${fetched}\nput ${fetched} copy.txt\nls -1\n`;
    const answer = await lab.client.browse(ask("/home/bea/reports"), back);
    expect(answer.head).toBe("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    // Its connection was ended by the client: its number is free once the desktop's program is gone.
    expect(await lab.awaitInside("pgrep -c [s]ftp-server", /^0$/)).toBe("0");
    expect(await Bun.file(fetched).text(), answer.said).toBe("a good year\n");
    expect(await lab.asUser("cd /home/bea/reports && stat -c %U copy.txt && cat copy.txt")).toBe(
      "bea\na good year",
    );
  });

  test("is refused where it isn't one, is not the person's, or the key is wrong", async () => {
    const heads = [ask("/home/bea/reports/year.txt"), ask("/root"), ask("/home/bea/reports", "")];
    const statuses: number[] = [];
    for (const head of heads) {
      const answer = await lab.client.share(head, "/");
      statuses.push(answer.status);
      answer.close();
    }
    expect(statuses).toEqual([404, 403, 401]);
    await lab.leave();
  });
});

describe("the printers of a Windows PC", () => {
  const WINDOWS = { "qvd.client.printing.enabled": "1", "qvd.client.printing.flavor": "cifs" };

  test("that it shares are the session's", async () => {
    await lab.client.startSmbPrinters(PORTS.smb);
    await lab.connect(WINDOWS, ["smb", "slave"]);
    const said = await lab.awaitInside(`${PRINTING} lpstat -e`, /QVD-Office/, 60_000);
    expect(said.split("\n").sort()).toEqual(["QVD-B_ro_2", "QVD-Office"]);
    expect(lab.failures).toEqual([]);
  });

  test("get what a program prints", async () => {
    const print = `echo third words | ${PRINTING} lp -d QVD-Office; echo fourth words | ${PRINTING} lp -d QVD-B_ro_2`;
    expect(await lab.asUser(print)).toContain("request id is QVD-Office-1");
    expect(await lab.client.awaitPrinted("third words", 60_000), await lab.asUser(CUPS_LOG)).toBe(true);
    expect(await lab.client.awaitPrinted("fourth words", 60_000), await lab.asUser(CUPS_LOG)).toBe(true);
    await lab.leave();
    expect(await lab.awaitInside("pgrep -c cupsd", /^0$/)).toBe("0");
  });

  test("are told of in the trail where it shares none", async () => {
    await lab.connect(WINDOWS, ["slave"]);
    await lab.awaitFailure();
    expect(lab.failures[0]?.text).toContain("the client's PC shares no printer with guests");
    await lab.leave();
  });
});

describe("the printers of the Perl client for Windows", () => {
  const PERL = { "qvd.client.printing.enabled": "1", "qvd.client.printing.flavor": "slave4" };

  test("that it names on the slave channel are the session's, and its usual one is the usual one", async () => {
    await lab.client.offerPrinters();
    await lab.connect(PERL, ["slave"]);
    const said = await lab.awaitInside(`${PRINTING} lpstat -d -e`, /destination: /);
    expect(said.split("\n").sort()).toEqual(["QVD-p1", "QVD-p2", "system default destination: QVD-p2"]);
    expect(await lab.asUser(`${PRINTING} lpstat -l -p QVD-p1`)).toContain("Office (client)");
    expect(lab.failures).toEqual([]);
  });

  test("get what a program prints, from a file and from a pipe", async () => {
    await putInside("/home/bea/page", "fifth words\n");
    await lab.asUser(`${PRINTING} lp /home/bea/page; echo sixth words | ${PRINTING} lp -d QVD-p1`);
    expect(await lab.client.awaitPrinted("fifth words", 30_000), await lab.asUser(CUPS_LOG)).toBe(true);
    expect(await lab.client.awaitPrinted("sixth words", 30_000), await lab.asUser(CUPS_LOG)).toBe(true);
    expect(await lab.desktop.inside("ps -o user= -C cupsd | sort -u")).toBe("bea");
    await lab.leave();
    expect(await lab.awaitInside("pgrep -c cupsd", /^0$/)).toBe("0");
  });

  test("are told of in the trail where the slave channel is closed", async () => {
    await lab.connect({ ...PERL, "qvd.client.slave.enable": "0" }, ["slave"]);
    await lab.awaitFailure();
    expect(lab.failures[0]?.text).toContain("its slave channel");
    await lab.leave();
  });
});

describe("a folder of the client's", () => {
  let folder: string;
  let shared: ShareAnswer | undefined;
  const inShare = (text: string) => lab.asUser(`cd "/home/bea/Redirected/my papers" && ${text}`);

  test("appears in the desktop, as the original client asks for it", async () => {
    folder = await lab.client.makeFolder("my papers");
    await writeFile(`${folder}/letter.txt`, "dear desk\n");
    await writeFile(`${folder}/big`, Buffer.alloc(300_000, "0123456789abcdef"));
    await lab.connect({}, ["slave"]);
    shared = await lab.client.share(
      `PUT /shares/${folder.replace(" ", "%20")} HTTP/1.1\r\n${PROOF}${UPGRADE}\r\n`,
      folder,
    );
    expect(shared.head).toBe("HTTP/1.1 101 Switching Protocols\r\nX-QVD-Share-Ticket: my papers\r\n\r\n");
    const isThere = async () => (await inShare("cat letter.txt")) === "dear desk";
    expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 }), await inShare("ls -la")).toBe(true);
    const sum = new Bun.CryptoHasher("md5").update(await Bun.file(`${folder}/big`).bytes()).digest("hex");
    expect(await inShare("md5sum < big")).toBe(`${sum}  -`);
  });

  test("takes what the desktop writes", async () => {
    expect(await inShare("mkdir made && echo written there > made/note && mv made/note note")).toBe("");
    expect(await Bun.file(`${folder}/note`).text()).toBe("written there\n");
  });

  test("has its names in the desktop's letters, whatever the client's are", async () => {
    const old = await lab.client.makeFolder("old");
    await writeFile(Buffer.concat([Buffer.from(`${old}/caf`), Buffer.of(0xe9)]), "strong\n");
    const upgrade = "Connection: Upgrade\r\nUpgrade: qvd:sftp/1.0;charset=ISO-8859-1\r\n";
    const answer = await lab.client.share(`PUT /shares/${old} HTTP/1.1\r\n${PROOF}${upgrade}\r\n`, old);
    expect(answer.status).toBe(101);
    expect(await lab.awaitInside("cat /home/bea/Redirected/old/café", /strong/)).toBe("strong");
    answer.close();
    expect(await lab.awaitInside("pgrep -c sshfs", /^1$/)).toBe("1");
  });

  test("is the user's, and nothing of ours stays for it", async () => {
    expect(await lab.desktop.inside("ps -o user= -C sshfs")).toBe("bea");
    expect(await lab.awaitInside("pgrep -fc [g]uest.slave", /^0$/)).toBe("0");
  });

  test("is not to be had twice under one name", async () => {
    const again = await lab.client.share(
      `PUT /shares/my%20papers HTTP/1.1\r\n${PROOF}${UPGRADE}\r\n`,
      folder,
    );
    expect(again.status).toBe(409);
    again.close();
  });

  test("is refused without the session's key", async () => {
    const ask = (proof: string) => lab.client.share(`PUT /shares/x HTTP/1.1\n${proof}${UPGRADE}\n`, folder);
    const [without, wrong] = [await ask(""), await ask(`Authorization: Basic ${KEY}x\n`)];
    const log = await lab.desktop.inside("tail -20 /run/qvd-guest/session.log");
    expect([without.status, wrong.status], log).toEqual([401, 403]);
    for (const answer of [without, wrong]) answer.close();
  });

  test("has its files opened on the desktop's screen when the client says so", async () => {
    const mime = "[Default Applications]\ntext/plain=reader.desktop\n";
    const reader =
      "[Desktop Entry]\nType=Application\nName=Reader\nMimeType=text/plain\nExec=/home/bea/reader %f\n";
    const script = '#!/bin/sh\ncat "$1" > /home/bea/opened; echo "on $DISPLAY" >> /home/bea/opened\n';
    await lab.asUser("mkdir -p /home/bea/.config /home/bea/.local/share/applications");
    await putInside("/home/bea/.config/mimeapps.list", mime);
    await putInside("/home/bea/.local/share/applications/reader.desktop", reader);
    await putInside("/home/bea/reader", script);
    await lab.asUser("chmod +x /home/bea/reader");
    const ask = (name: string) =>
      lab.client.share(
        `POST /open/${name} HTTP/1.1\r\n${PROOF}X-QVD-Share-Ticket: my papers\r\n\r\n`,
        folder,
      );
    const [there, none, outside] = [await ask("letter.txt"), await ask("lost.txt"), await ask("../.profile")];
    for (const answer of [there, none, outside]) answer.close();
    expect([there.status, none.status, outside.status]).toEqual([200, 404, 404]);
    expect(await lab.awaitInside("cat /home/bea/opened", /on :/)).toBe("dear desk\non :100");
  });

  test("goes with its connection", async () => {
    shared?.close();
    expect(await lab.awaitInside("cat /proc/mounts | grep -c fuse.sshfs", /^0$/)).toBe("0");
    expect(lab.failures).toEqual([]);
  });

  test("goes with the client, and comes again with the next", async () => {
    const ask = () => lab.client.share(`PUT /shares/${folder} HTTP/1.1\n${PROOF}${UPGRADE}\n`, folder);
    expect((await ask()).status).toBe(101);
    await lab.leave();
    expect(await lab.awaitInside("cat /proc/mounts | grep -c fuse.sshfs", /^0$/)).toBe("0");
    await lab.connect({}, ["slave"]);
    expect((await ask()).status).toBe(101);
    const isThere = async () => (await inShare("cat letter.txt")) === "dear desk";
    expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
    await lab.desktop.inside("pkill -9 sshfs");
    expect((await ask()).status).toBe(101);
    expect(await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
  });

  test("can't be had where the box keeps FUSE to itself, and the trail says so", async () => {
    await lab.desktop.inside("umount -l /dev/fuse; rm -f /dev/fuse");
    const refused = await lab.client.share(`PUT /shares/other HTTP/1.1\n${PROOF}${UPGRADE}\n`, folder);
    expect(refused.status).toBe(501);
    await lab.awaitFailure();
    expect(lab.failures).toEqual([
      { type: "channel-failed", channel: "sharing", text: "the desktop has no /dev/fuse" },
    ]);
    await lab.leave();
  });
});
