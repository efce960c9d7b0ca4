import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import type { BoxIdentity } from "../../src/broker/relay/box-proof.ts";
import { signLeaf } from "../../src/cli/box/tls.ts";
import { runOk } from "../../src/lib/run.ts";

/** A site's authority, and a certificate and key of each box. */
export async function createBoxIdentities(...boxes: readonly string[]): Promise<readonly BoxIdentity[]> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-boxes-`);
  try {
    const authority = { certificate: `${folder}/ca.crt`, key: `${folder}/ca.key` };
    await runOk("make an authority", [
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", authority.key, "-out", authority.certificate, "-days", "2", "-subj", "/CN=site"],
      ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ]);
    const made: BoxIdentity[] = [];
    for (const commonName of boxes) {
      const names = { commonName, altNames: `DNS:${commonName}`, days: 2 };
      made.push(
        await signLeaf(authority, names, async (key, certificate) => ({
          key: readFileSync(key, "utf8"),
          certificate: readFileSync(certificate, "utf8"),
          authority: readFileSync(authority.certificate, "utf8"),
        })),
      );
    }
    return made;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** An nxagent that greets at once and echoes. */
export function openEchoDesktop() {
  const desktop = { connections: 0, port: 0, received: 0, close: () => {} };
  const server = Bun.listen<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: {
      open: (socket) => {
        desktop.connections++;
        socket.write("NXPROXY-hello");
      },
      data: (socket, chunk) => {
        desktop.received += chunk.length;
        socket.write(chunk);
      },
      end: (socket) => void socket.end(),
    },
  });
  desktop.port = server.port;
  desktop.close = () => server.stop(true);
  return desktop;
}
