/**
 * X2Go and xrdp of Debian's packages, with the desktop that ours shows: X2Go by ssh and pyhoca-cli, as its people use it,
 * xrdp (Xorg behind it) by xfreerdp.
 */

import { Database } from "bun:sqlite";
import { mkdtempSync, openSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SESSION_SCRIPT } from "../../src/guest/session/scripts.ts";
import { CLEAN_ENV } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { openPeerDebian, type PeerDebian } from "./peer-debian.ts";
import type { Product } from "./product.ts";

const PACKAGES = [
  ...["x2goserver", "libswitch-perl", "openssh-server"],
  ...["xrdp", "xorgxrdp", "ssl-cert", "procps", "iproute2"],
];
const PASSWORD = "bench-Pa55word";
const WAIT_MS = 60_000;

/** The Debian in which both are installed and run. */
export function openPeers(archive: string): Promise<PeerDebian> {
  return openPeerDebian({
    name: "session",
    archive,
    packages: PACKAGES,
    files: { "/usr/local/bin/bench-desktop": SESSION_SCRIPT, "/etc/bench-start": START },
    prepare: PREPARE,
  });
}

// The image names the monitors that have its plain background; xrdp's is called otherwise.
const PREPARE = `
sed -i s/monitordefault/monitorrdp0/ /etc/xdg/xfce4/xfconf/xfce-perchannel-xml/xfce4-desktop.xml
x2godbadmin --createdb
for who in x2go1 xrdp1; do useradd -m -s /bin/bash $who; echo "$who:${PASSWORD}" | chpasswd; done
install -m 755 /usr/local/bin/bench-desktop /etc/xrdp/startwm.sh
make-ssl-cert generate-default-snakeoil --force-overwrite
adduser --quiet xrdp ssl-cert
ssh-keygen -A
`;

const START = `#!/bin/sh
mkdir -p /run/sshd /run/xrdp /run/user/1 /var/run/xrdp
chown xrdp:xrdp /run/xrdp
# Programs of the desktop ask for it, and no logind makes it here.
for who in x2go1 xrdp1; do id=$(id -u $who); install -d -m 700 -o $who -g $who /run/user/$id; done
/usr/sbin/sshd
/etc/init.d/x2goserver start
xrdp-sesman
xrdp
until ss -Hltn | grep -q ':3389 '; do sleep 0.1; done
`;

export function x2goProduct(peers: PeerDebian): Product {
  const home = mkdtempSync(join(tmpdir(), "qvd-bench-home-"));
  const logs = `${peers.root}/tmp/.x2go-x2go1`;
  const words = [
    ...["--server", "127.0.0.1", "-p", "22", "-u", "x2go1", "--password", PASSWORD, "--force-password"],
    ...["--add-to-known-hosts", "--new", "--try-resume", "-t", "desktop", "-c", "bench-desktop"],
    ...["-g", "1024x768", "--sound", "none"],
  ];
  /** What the session's nxagent has written, the newest session's. */
  const readLog = () =>
    readdirSync(logs)
      .filter((name) => name.startsWith("C-"))
      .map((name) => readFileSync(`${logs}/${name}/session.log`, "utf8"))
      .join("");
  return {
    name: "X2Go",
    startClient: (screen) => startPeerClient([...peers.beside, "pyhoca-cli", ...words], screen.display, home),
    async waitForLeft() {
      // The list of sessions that its people and its resuming client go by.
      const list = new Database(`${peers.root}/var/lib/x2go/x2go_sessions`, { readonly: true });
      list.run("pragma busy_timeout = 1000");
      const isListed = () => list.query("select 1 from sessions where status = 'S'").get() !== null;
      const isThere = await waitFor(isListed, { timeoutMs: WAIT_MS, everyMs: 2 });
      list.close();
      if (!isThere) throw new Error("X2Go did not list its session as suspended in a minute");
    },
    async waitForSuspended() {
      const isOver = () => isLastWord(readLog(), "Session suspended at", /Session (?:started|resumed) at/g);
      if (!(await waitFor(isOver, { timeoutMs: WAIT_MS, everyMs: 2 })))
        throw new Error("X2Go's session was not suspended in a minute");
    },
    async endSession() {
      // One that is being suspended just now is not listed as such: it is ended by name all the same.
      await peers.run(
        "ending X2Go's session",
        `su - x2go1 -c 'for one in $(x2golistsessions | cut -d"|" -f2); do x2goterminate-session $one; done'; sleep 1; pkill -KILL -u x2go1; rm -rf /tmp/.x2go-x2go1; true`,
      );
    },
  };
}

export function xrdpProduct(peers: PeerDebian): Product {
  const home = mkdtempSync(join(tmpdir(), "qvd-bench-home-"));
  const words = [
    ...["/v:127.0.0.1", "/u:xrdp1", `/p:${PASSWORD}`, "/cert:ignore", "/bpp:24", "-gfx", "/size:1024x768"],
  ];
  const readLog = () =>
    readdirSync(`${peers.root}/home/xrdp1`)
      .filter((name) => name.startsWith(".xorgxrdp."))
      .map((name) => readFileSync(`${peers.root}/home/xrdp1/${name}`, "utf8"))
      .join("");
  return {
    name: "xrdp",
    startClient: (screen) => startPeerClient([...peers.beside, "xfreerdp", ...words], screen.display, home),
    async waitForLeft() {
      const isOver = () => isLastWord(readLog(), "rdpClientConDisconnect", /rdpClientConGotConnection/g);
      if (!(await waitFor(isOver, { timeoutMs: WAIT_MS, everyMs: 2 })))
        throw new Error("xrdp's session was not disconnected in a minute");
    },
    async endSession() {
      await peers.run(
        "ending xrdp's session",
        "pkill -KILL -u xrdp1; sleep 1; rm -f /home/xrdp1/.xorgxrdp.*; true",
      );
    },
  };
}

/** Whether a log has told of an end since it last told of a beginning. */
export function isLastWord(log: string, end: string, beginning: RegExp): boolean {
  const last = [...log.matchAll(beginning)].at(-1)?.index ?? -1;
  return log.lastIndexOf(end) > last && last !== -1;
}

function startPeerClient(command: readonly string[], display: string, home: string): Bun.Subprocess {
  const log = openSync(join(home, "client.log"), "a");
  return Bun.spawn([...command], {
    env: { ...CLEAN_ENV, DISPLAY: display, HOME: home },
    stdin: "ignore",
    stdout: log,
    stderr: log,
    detached: true,
  });
}
