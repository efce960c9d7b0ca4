/**
 * TigerVNC with noVNC, and xpra with its HTML5 client, all of Debian's packages, each with an X server of the wanted size and
 * the desktop that ours shows. Over TLS as ours: with our certificate, and the cipher that ours and Chromium agree on.
 */

import { chmodSync, copyFileSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { SESSION_SCRIPT } from "../../src/guest/session/scripts.ts";
import { CLEAN_ENV } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { listProcesses } from "../processes.ts";
import { openPeerDebian, type PeerDebian } from "../session/peer-debian.ts";
import { startRelay } from "./relay.ts";
import type { BrowserServer, Size } from "./server.ts";

const PACKAGES = [
  ...["tigervnc-standalone-server", "novnc", "websockify"],
  ...[
    "xpra",
    "xvfb",
    "xauth",
    "python3-rencode",
    "python3-lz4",
    "python3-pil",
    "python3-numpy",
    "python3-dbus",
    "python3-xdg",
    "libjs-jquery",
  ],
  ...["procps", "iproute2", "x11-xserver-utils"],
];

export function openBrowserPeers(archive: string): Promise<PeerDebian> {
  const files = {
    "/etc/bench-start": "#!/bin/sh\ninstall -d -m 700 -o peer -g peer /run/user/$(id -u peer)\n",
  };
  return openPeerDebian({
    name: "browser",
    archive,
    packages: PACKAGES,
    files,
    prepare: "useradd -m -s /bin/bash peer",
  });
}

/** Paths of PEM files. */
export type Certificate = { readonly tlsCertificate: string; readonly tlsKey: string };

/** Where the peers find what they show of themselves; OpenSSL would choose another cipher than Bun's does. */
const TLS = { folder: "/etc/bench-tls", ciphers: "TLS_AES_128_GCM_SHA256" };
const OPENSSL = `openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = default
[default]
Ciphersuites = ${TLS.ciphers}
`;

const DESKTOP = "/usr/local/bin/bench-desktop";

/** To be called before any of them is started: the desktop as our agent begins it. */
export function giveDesktop(peers: PeerDebian): void {
  writeFileSync(`${peers.root}${DESKTOP}`, SESSION_SCRIPT);
  chmodSync(`${peers.root}${DESKTOP}`, 0o755);
}

/** To be called before any of them is started with TLS. */
export function giveCertificate(peers: PeerDebian, { tlsCertificate, tlsKey }: Certificate): void {
  const folder = `${peers.root}${TLS.folder}`;
  mkdirSync(folder, { recursive: true });
  copyFileSync(tlsCertificate, `${folder}/certificate.pem`);
  writeFileSync(`${folder}/key.pem`, readFileSync(tlsKey), { mode: 0o644 });
  writeFileSync(`${folder}/openssl.cnf`, OPENSSL);
}

/** Xvnc's own server of RFB, websockify before it. Started as Debian's documentation of noVNC has it. */
export async function tigervnc(peers: PeerDebian, size: Size, isPlain = false): Promise<BrowserServer> {
  const port = 6080;
  const tls = isPlain ? "" : `--ssl-only --cert=${TLS.folder}/certificate.pem --key=${TLS.folder}/key.pem`;
  const started = [
    start(
      peers,
      `Xtigervnc :1 -geometry ${size.width}x${size.height} -depth 24 -SecurityTypes None -localhost -nolisten tcp`,
    ),
    start(peers, `websockify ${tls} --web=/usr/share/novnc 127.0.0.1:${port} 127.0.0.1:5901`),
  ];
  await waitForPort(peers, port);
  await waitForPort(peers, 5901);
  started.push(start(peers, DESKTOP, ":1"));
  return {
    ...(await describe(peers, started, port)),
    name: isPlain ? "TigerVNC + noVNC, no TLS" : "TigerVNC + noVNC",
    socket: `${peers.root}/tmp/.X11-unix/X1`,
    async open(page, line) {
      const scheme = isPlain ? "http" : "https";
      await page.goto(`${scheme}://127.0.0.1:${line}/vnc.html?autoconnect=true&resize=off&reconnect=false`);
      await page.waitForSelector("html.noVNC_connected", { timeout: 30_000 });
      await page.waitForSelector("canvas");
      await focusCanvas(page);
    },
  };
}

export async function xpra(peers: PeerDebian, size: Size): Promise<BrowserServer> {
  const port = 10_000;
  const screen = `Xvfb +extension GLX +extension Composite -screen 0 ${size.width}x${size.height}x24+32 -nolisten tcp -noreset`;
  const words = [
    `xpra start-desktop :2 --daemon=no --bind-ssl=127.0.0.1:${port} --html=on --xvfb='${screen}' --ssl-auth=allow`,
    `--ssl-cert=${TLS.folder}/certificate.pem --ssl-key=${TLS.folder}/key.pem`,
    "--mdns=no --notifications=no --pulseaudio=no --webcam=no --printing=no --dbus-launch=no --resize-display=no",
    `--start=${DESKTOP}`,
  ];
  const started = [start(peers, words.join(" "))];
  await waitForPort(peers, port);
  return {
    ...(await describe(peers, started, port)),
    name: "xpra HTML5",
    socket: `${peers.root}/tmp/.X11-unix/X2`,
    async open(page, line) {
      const query =
        "username=peer&password=x&sound=false&clipboard=false&floating_menu=false&reconnect=false&action=connect";
      await page.goto(`https://127.0.0.1:${line}/index.html?${query}`);
      await page.waitForSelector("canvas", { timeout: 30_000 });
      await focusCanvas(page);
    },
  };
}

function start(peers: PeerDebian, command: string, display = ""): Bun.Subprocess {
  return Bun.spawn(
    [
      ...peers.inside,
      "su",
      "-",
      "peer",
      "-c",
      `export OPENSSL_CONF=${TLS.folder}/openssl.cnf DISPLAY=${display}; XDG_RUNTIME_DIR=/run/user/$(id -u) exec ${command} >>/tmp/said 2>&1`,
    ],
    {
      env: { ...CLEAN_ENV },
      stdio: ["ignore", "ignore", "ignore"],
    },
  );
}

async function waitForPort(peers: PeerDebian, port: number): Promise<void> {
  const isOpen = async () => (await peers.run("looking for ports", "ss -Hltn")).includes(`:${port} `);
  if (!(await waitFor(isOpen, { timeoutMs: 30_000, everyMs: 100 })))
    throw new Error(`nothing listens at ${port}: ${await peers.run("reading", "tail -n 5 /tmp/said")}`);
}

async function describe(peers: PeerDebian, started: readonly Bun.Subprocess[], port: number) {
  const relay = await startRelay(port, peers.beside);
  return {
    port: relay.socket,
    beside: peers.beside,
    listPids: () => pidsOf(peers),
    close: async () => {
      await relay.close();
      await peers.run(
        "ending a server",
        "pkill -KILL -u peer; sleep 0.3; rm -rf /tmp/.X?-lock /tmp/.X11-unix/X? /home/peer/.cache /home/peer/.config; true",
      );
      await Promise.all(started.map((one) => one.exited));
    },
  };
}

/** All of the Debian but its first process, which does nothing. */
function pidsOf(peers: PeerDebian): number[] {
  const pid = /--target=(\d+)/.exec(peers.beside.join(" "))?.[1];
  const own = readlinkSync(`/proc/${pid}/ns/pid`);
  return listProcesses().flatMap((one) => (namespaceOf(one.pid) === own ? [one.pid] : []));
}

export function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

/** A click that neither scene nor desktop cares about; without it keys go nowhere. */
export async function focusCanvas(page: Page): Promise<void> {
  await page.waitForTimeout(800);
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  await page.mouse.click(Math.round(width * 0.7), height - 8);
  await page.waitForTimeout(300);
}
