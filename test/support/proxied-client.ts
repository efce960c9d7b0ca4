import { connect as connectPlain } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** A client's TLS connection through a balancer at `localAddress`, which sends `header` first. */
export function openProxied(port: number, header: Uint8Array, localAddress: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const plain = connectPlain({ host: "127.0.0.1", port, localAddress });
    plain.once("error", reject);
    plain.once("connect", () => {
      plain.write(header);
      const secure = connectTls({ socket: plain, rejectUnauthorized: false });
      secure.once("error", reject);
      secure.once("secureConnect", () => resolve(secure));
    });
  });
}
