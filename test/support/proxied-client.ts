import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** A client's TLS connection through a balancer at `localAddress`, which sends `header` first, however late. */
export async function openProxied(
  port: number,
  header: Uint8Array | Promise<Uint8Array>,
  localAddress: string,
): Promise<TLSSocket> {
  const plain = connectPlain({ host: "127.0.0.1", port, localAddress });
  await once(plain, "connect");
  plain.on("error", () => {
    // Of a refused one; whoever waits for the handshake learns of it there.
  });
  plain.write(await header);
  const secure = connectTls({ socket: plain, rejectUnauthorized: false });
  await once(secure, "secureConnect");
  return secure;
}

/** What a balancer says of a client's connection, in version 2 of the protocol. */
export function formatProxyHeader(ipv4: string): Buffer {
  const addresses = [...ipv4.split("."), "10", "0", "0", "1"].map(Number);
  const ports = [35554 >> 8, 35554 & 0xff, 443 >> 8, 443 & 0xff];
  const [isProxied, isTcpOverIpv4] = [0x21, 0x11];
  const fixed = [isProxied, isTcpOverIpv4, 0, addresses.length + ports.length];
  return Buffer.concat([
    Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
    Buffer.from([...fixed, ...addresses, ...ports]),
  ]);
}
