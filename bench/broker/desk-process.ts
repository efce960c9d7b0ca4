/**
 * Answers the sign-ins that a peer relays, as cheaply as can be: `desk-process.ts AUTH_SOCKET`. It asks auth who they
 * are, as the broker does for its own, so that beside both the same people sign in. Prints its port.
 */

import { createAuthClient } from "../../src/auth/client.ts";
import { silentLog } from "../../src/lib/log.ts";
import { parseCredentials } from "../../src/wire/client/credentials.ts";

const [path = ""] = process.argv.slice(2);
const auth = createAuthClient({ path, log: silentLog() });
const DEADLINE_MS = 30_000;

const server = Bun.listen<{ head: string }>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: (socket) => {
      socket.data = { head: "" };
    },
    data: (socket, chunk) => {
      socket.data.head += chunk.toString("latin1");
      if (socket.data.head.endsWith("\r\n\r\n"))
        void answer(socket.data.head).then((text) => socket.write(text));
    },
    error: () => {},
  },
});
console.log(server.port);

async function answer(head: string): Promise<string> {
  const credentials = parseCredentials(/^Authorization: (.+?)\r$/m.exec(head)?.[1]);
  if (credentials === undefined) return say(401, "");
  const proof =
    credentials.kind === "token"
      ? credentials
      : { kind: "password" as const, password: credentials.password };
  const login = credentials.kind === "token" ? "" : credentials.login;
  const question = { kind: "user", login, proof, origin: "127.0.0.1" } as const;
  const { outcome } = await auth.verify(question, AbortSignal.timeout(DEADLINE_MS));
  if (outcome === "accepted") return say(200, '[{"id":1,"name":"vm1","state":"running","blocked":0}]');
  return say(outcome === "denied" ? 401 : 503, outcome);
}

function say(status: number, body: string): string {
  return `HTTP/1.1 ${status} OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
