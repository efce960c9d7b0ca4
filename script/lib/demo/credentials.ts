/**
 * What the demo generated, kept where only root can read it. Passwords are written before anything gets them,
 * so that an interrupted first run goes on with the same ones.
 */

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { COLOUR, makePassword, type Place, renderShellFile } from "./place.ts";

const Account = z.object({ login: z.string(), password: z.string() });

const Credentials = z.object({
  administrator: Account,
  user: Account,
  other: Account,
  /** Ids of the two desktops, once they exist. */
  vm: z.number().optional(),
  otherVm: z.number().optional(),
});
export type Credentials = z.infer<typeof Credentials>;

/** Undefined while there was no first run. */
export function readCredentials(place: Place): Credentials | undefined {
  if (!existsSync(place.credentials)) return undefined;
  return Credentials.parse(JSON.parse(readFileSync(place.credentials, "utf8")));
}

export function ensureCredentials(place: Place): {
  readonly credentials: Credentials;
  readonly isNew: boolean;
} {
  const kept = readCredentials(place);
  if (kept !== undefined) return { credentials: kept, isNew: false };
  const credentials = {
    administrator: { login: "admin", password: makePassword() },
    user: { login: "anna", password: makePassword() },
    other: { login: "ben", password: makePassword() },
  };
  writeCredentials(place, credentials);
  return { credentials, isNew: true };
}

export function writeCredentials(place: Place, credentials: Credentials): void {
  mkdirSync(place.state, { recursive: true });
  writePrivately(place.credentials, `${JSON.stringify(credentials, null, 2)}\n`);
}

/** The settings of an outside database hold a password, so this too is root's alone. */
export function writeShellFile(place: Place): void {
  writePrivately(place.shellFile, renderShellFile(place));
}

function writePrivately(path: string, text: string): void {
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

/** What `--info` prints: an interface for programs. */
export function describeDemo(place: Place, credentials: Credentials) {
  const { user, other, administrator, vm, otherVm } = credentials;
  return {
    broker: { host: "localhost", port: place.brokerPort },
    wat: { url: place.watUrl },
    ca: place.caCertificate,
    user,
    other: { ...other, vm: otherVm },
    administrator,
    vm: { id: vm },
    state: place.state,
    colour: COLOUR,
  };
}

/** What a person needs to open and type. */
export function renderDemo(place: Place, { user, other, administrator }: Credentials): string {
  return `
  The demo runs.

    QVD client       server localhost, port ${place.brokerPort}
                     ${user.login}   ${user.password}
                     ${other.login}    ${other.password}

    Web admin tool   ${place.watUrl}   (port ${place.adminPort})
                     ${administrator.login}  ${administrator.password}

    Command line     . ${place.shellFile}
                     qvd node status;  qvd admin sign-in ${administrator.login};  qvd vm list

    Certificate      signed by ${place.caCertificate}; let client and browser trust it
    As JSON          script/demo --info

`;
}
