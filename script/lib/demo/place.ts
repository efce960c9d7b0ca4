/** Where the demo lives and how its programs are told so. */

import { randomInt } from "node:crypto";
import { dirname, join } from "node:path";
import { CLEAN_ENV } from "../../../src/lib/run.ts";

export const ROOT = join(import.meta.dir, "../../..");
/** The plain background of the image `light`; see its recipe. */
export const COLOUR = "#24476b";

export type Place = {
  readonly instance: string;
  readonly brokerPort: number;
  readonly adminPort: number;
  readonly watUrl: string;
  readonly state: string;
  /** A copy that the unprivileged accounts may run, wherever the checkout lies. */
  readonly executable: string;
  readonly caCertificate: string;
  /** Of the box, for whoever waits for it. */
  readonly statusFile: string;
  readonly credentials: string;
  readonly log: string;
  readonly homes: string;
  readonly env: Readonly<Record<string, string>>;
  /** For a shell to read, so that `qvd` means this demo in it. */
  readonly shellFile: string;
};

export function demoPlace(env: Readonly<Record<string, string | undefined>>): Place {
  const state = env.QVD_DEMO_STATE ?? "/var/lib/qvd-demo";
  // Only tests say otherwise, so that they run beside a demo that somebody looks at.
  const instance = env.QVD_DEMO_INSTANCE ?? "demo";
  const brokerPort = Number(env.QVD_DEMO_BROKER_PORT ?? 8443);
  const adminPort = Number(env.QVD_DEMO_ADMIN_PORT ?? 9443);
  const databaseUrl = env.QVD_DATABASE_URL;
  return {
    instance,
    brokerPort,
    adminPort,
    watUrl: `https://localhost:${adminPort}`,
    state,
    executable: `${state}/bin/qvd`,
    caCertificate: `${state}/ca.crt`,
    statusFile: `/run/qvd/${instance}/box.json`,
    credentials: `${state}/demo.json`,
    log: `${state}/logs/demo.log`,
    homes: `${state}/homes`,
    env: {
      ...CLEAN_ENV,
      QVD_INSTANCE: instance,
      QVD_STATE: state,
      QVD_NETWORK_RANGE: env.QVD_DEMO_RANGE ?? "10.77.0.0/16",
      QVD_BROKER_PORT: String(brokerPort),
      QVD_ADMIN_PORT: String(adminPort),
      ...(databaseUrl === undefined ? {} : { QVD_DATABASE_URL: databaseUrl }),
    },
    shellFile: `${state}/shell`,
  };
}

/** What `shellFile` holds. */
export function renderShellFile(place: Place): string {
  const { PATH: _path, LANG: _lang, ...settings } = place.env;
  const names = { ...settings, QVD_API_URL: place.watUrl, QVD_API_CA: place.caCertificate };
  const lines = Object.entries(names).map(([name, value]) => `export ${name}=${quote(value)}`);
  return `${lines.join("\n")}\nexport PATH=${quote(dirname(place.executable))}:"$PATH"\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** 20 letters of 31 that can't be mistaken for each other, in groups: 99 bits. */
export function makePassword(): string {
  const letters = "abcdefghijkmnpqrstuvwxyz2345678";
  const chosen = Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join("");
  return chosen.replace(/(.{5})(?=.)/g, "$1-");
}
