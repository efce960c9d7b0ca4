/** Where the demo lives and how its programs are told so. */

import { randomInt } from "node:crypto";
import { join } from "node:path";
import { CLEAN_ENV } from "../../../src/lib/run.ts";

export const ROOT = join(import.meta.dir, "../../..");
/** The plain background of the image `light`; see its recipe. */
export const COLOUR = "#24476b";
export const BROKER_PORT = 8443;
export const ADMIN_PORT = 9443;
export const WAT_URL = `https://localhost:${ADMIN_PORT}`;

const INSTANCE = "demo";

export type Place = {
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
};

export function demoPlace(env: Readonly<Record<string, string | undefined>>): Place {
  const state = env.QVD_DEMO_STATE ?? "/var/lib/qvd-demo";
  const databaseUrl = env.QVD_DATABASE_URL;
  return {
    state,
    executable: `${state}/bin/qvd`,
    caCertificate: `${state}/ca.crt`,
    statusFile: `/run/qvd/${INSTANCE}/box.json`,
    credentials: `${state}/demo.json`,
    log: `${state}/logs/demo.log`,
    homes: `${state}/homes`,
    env: {
      ...CLEAN_ENV,
      QVD_INSTANCE: INSTANCE,
      QVD_STATE: state,
      QVD_NETWORK_RANGE: "10.77.0.0/16",
      QVD_BROKER_PORT: String(BROKER_PORT),
      QVD_ADMIN_PORT: String(ADMIN_PORT),
      ...(databaseUrl === undefined ? {} : { QVD_DATABASE_URL: databaseUrl }),
    },
  };
}

/** 20 letters of 31 that can't be mistaken for each other, in groups: 99 bits. */
export function makePassword(): string {
  const letters = "abcdefghijkmnpqrstuvwxyz2345678";
  const chosen = Array.from({ length: 20 }, () => letters[randomInt(letters.length)]).join("");
  return chosen.replace(/(.{5})(?=.)/g, "$1-");
}
