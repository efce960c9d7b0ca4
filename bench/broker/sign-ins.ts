/**
 * People who sign in while the round trip is measured, the same beside each relay: the product's auth over PostgreSQL,
 * and a desk that answers for the peers, which can't ask it themselves.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AuthClient, createAuthClient } from "../../src/auth/client.ts";
import { silentLog } from "../../src/lib/log.ts";
import { SEED_PASSWORD } from "../../test/support/db-seed.ts";
import type { SignInPlaces, Stage } from "./stage.ts";

const PEOPLE = 100;
const ORIGIN = "127.0.0.1";

export type SignIns = {
  readonly places: SignInPlaces;
  /** A line each for the load generator: what they show. */
  readonly tokenFile: string;
  readonly passwordFile: string;
  readonly end: () => Promise<void>;
};

/** `folder` is the caller's, for files and the socket. */
export async function openSignIns(stage: Stage, folder: string): Promise<SignIns> {
  const authSocket = `${folder}/auth`;
  const script = (name: string) => join(import.meta.dir, name);
  const started = (name: string, ...words: string[]) =>
    stage.startBeside([process.execPath, script(name), ...words]);
  const auth = started("../capacity/auth-process.ts", authSocket, `${PEOPLE}`);
  await auth.line();
  const desk = started("desk-process.ts", authSocket);
  const deskPort = Number((await desk.line())[0]);
  const client = createAuthClient({ path: authSocket, log: silentLog() });
  const tokens: string[] = [];
  const passwords: string[] = [];
  for (let number = 1; number <= PEOPLE; number++) {
    const login = `person${number}`;
    // Everybody proves themselves once from where they come again, as on any morning.
    tokens.push(`Bearer ${encode(await createToken(client, login))}`);
    passwords.push(`Basic ${encode(`${login}:${SEED_PASSWORD}`)}`);
  }
  client.close();
  const [tokenFile, passwordFile] = [`${folder}/tokens`, `${folder}/passwords`];
  writeFileSync(tokenFile, `${tokens.join("\n")}\n`, { mode: 0o600 });
  writeFileSync(passwordFile, `${passwords.join("\n")}\n`, { mode: 0o600 });
  return {
    places: { authSocket, deskPort },
    tokenFile,
    passwordFile,
    end: async () => {
      await desk.end();
      // It drops its database at its end.
      await auth.stop();
    },
  };
}

const encode = (text: string) => Buffer.from(text).toString("base64");

async function createToken(client: AuthClient, login: string): Promise<string> {
  const proof = { kind: "password", password: SEED_PASSWORD } as const;
  const question = { kind: "user", login, proof, origin: ORIGIN } as const;
  const answer = await client.verify(question, AbortSignal.timeout(30_000));
  if (answer.outcome !== "accepted" || !("userId" in answer))
    throw new Error(`${login} was not let in: ${answer.outcome}`);
  const wish = { kind: "create-token", userId: answer.userId, isMultiUse: true, origin: ORIGIN } as const;
  const reply = await client.ask(wish, AbortSignal.timeout(30_000));
  if (reply.outcome !== "token-created") throw new Error(`${login} got no token: ${reply.outcome}`);
  return reply.token;
}
