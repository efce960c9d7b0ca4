/** One client's visit: TLS, `/qvd/ping`, and what came of it. Never throws. */

import { connect as connectPlain, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";

export type Visit = {
  /** Everything that was answered, or what went wrong before. */
  readonly text: string;
  /** Subject of the certificate that was shown. */
  readonly subject: string | undefined;
  readonly protocol: string | undefined;
};

export type VisitOptions = {
  readonly tls?: ConnectionOptions;
  /** Sent before TLS begins. */
  readonly before?: Uint8Array;
  /** With the first bytes of TLS in one packet. */
  readonly isTogether?: boolean;
  readonly host?: string;
  readonly localAddress?: string;
};

const PING = "GET /qvd/ping HTTP/1.1\r\nHost: x\r\n\r\n";

export function askPing(port: number, options: VisitOptions = {}): Promise<Visit> {
  const { tls = {}, before, isTogether = false, host = "127.0.0.1", localAddress } = options;
  return new Promise((resolve) => {
    const plain: Socket = connectPlain({ host, port, ...(localAddress && { localAddress }) });
    let secure: TLSSocket | undefined;
    let text = "";
    const done = (last = "") => {
      clearTimeout(timer);
      const subject = secure?.getPeerCertificate()?.subject?.CN;
      resolve({
        text: text || last,
        subject: [subject].flat()[0],
        protocol: secure?.getProtocol() ?? undefined,
      });
      plain.destroy();
    };
    const timer = setTimeout(() => done("no answer"), 15_000);
    plain.on("error", (error) => done(`error: ${error.message}`));
    plain.on("close", () => done("closed"));
    plain.on("connect", () => {
      if (isTogether) plain.cork();
      if (before !== undefined) plain.write(before);
      secure = connectTls({ socket: plain, rejectUnauthorized: false, ...tls });
      secure.on("error", (error) => done(`error: ${error.message}`));
      secure.on("close", () => done("closed"));
      secure.on("secureConnect", () => secure?.write(PING));
      secure.on("data", (chunk) => {
        text += chunk.toString("latin1");
        // Head and body come in records of their own.
        if (/\r\n\r\n./.test(text)) done();
      });
      if (isTogether) setTimeout(() => plain.uncork(), 20);
    });
  });
}
