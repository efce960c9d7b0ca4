/** What the broker is measured beside: relays that end TLS, each with one process or worker on one core. */

import { writeFileSync } from "node:fs";
import { waitFor } from "../../src/lib/wait.ts";
import { startProgram } from "./program.ts";

export const PEER_NAMES = ["haproxy", "nginx", "stunnel"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

export type PeerPlaces = {
  readonly folder: string;
  /** Certificate and key in one file. */
  readonly pem: string;
  /** TLS here, and where it leads; one for sessions, one for sign-ins. */
  readonly doors: readonly { readonly port: number; readonly to: number }[];
};

const COMMANDS = {
  haproxy: (file) => ["haproxy", "-q", "-db", "-f", file],
  nginx: (file) => ["nginx", "-c", file],
  stunnel: (file) => ["stunnel4", file],
} as const satisfies Record<PeerName, (file: string) => string[]>;

const CONFIGURATIONS = {
  haproxy: formatHaproxy,
  nginx: formatNginx,
  stunnel: formatStunnel,
} as const satisfies Record<PeerName, (places: PeerPlaces) => string>;

/** Resolves when it listens. The process is the one that does the work. */
export async function startPeer(name: PeerName, places: PeerPlaces, on: readonly string[]) {
  const file = `${places.folder}/${name}.conf`;
  writeFileSync(file, CONFIGURATIONS[name](places));
  const program = startProgram([...on, ...COMMANDS[name](file)]);
  for (const { port } of places.doors) {
    const isUp = await waitFor(() => canConnect(port), { timeoutMs: 5_000, everyMs: 50 });
    if (!isUp) throw new Error(`${name} does not listen`);
  }
  return program;
}

/** With its default buffers of 16 kB. */
function formatHaproxy({ pem, doors }: PeerPlaces): string {
  const door = ({ port, to }: PeerPlaces["doors"][number]) => `frontend at${port}
  bind 127.0.0.1:${port} ssl crt ${pem}
  default_backend to${to}
backend to${to}
  server it 127.0.0.1:${to}
`;
  return `global
  maxconn 5000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
${doors.map(door).join("")}`;
}

function formatNginx({ folder, pem, doors }: PeerPlaces): string {
  const door = ({ port, to }: PeerPlaces["doors"][number]) => `  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    proxy_pass 127.0.0.1:${to};
  }
`;
  return `daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log error;
include /etc/nginx/modules-enabled/*-mod-stream.conf;
events { worker_connections 8192; }
stream {
  ssl_certificate ${pem};
  ssl_certificate_key ${pem};
  ssl_protocols TLSv1.3;
  proxy_timeout 1h;
  tcp_nodelay on;
${doors.map(door).join("")}}
`;
}

function formatStunnel({ folder, pem, doors }: PeerPlaces): string {
  const door = ({ port, to }: PeerPlaces["doors"][number]) => `[at${port}]
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${to}
`;
  return `foreground = yes
pid = ${folder}/stunnel.pid
debug = emerg
cert = ${pem}
sslVersion = TLSv1.3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
${doors.map(door).join("")}`;
}

export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

async function canConnect(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch {
    // Nobody listens yet, which is what was asked.
    return false;
  }
}
