/** Runs a command of qvd as a person would, signed in where it needs that. */

import { type RunResult, run } from "../../../src/lib/run.ts";
import type { Place } from "./place.ts";

export type SignedIn = { readonly login: string; readonly password: string };

export type QvdOptions = {
  readonly as?: SignedIn;
  readonly stdin?: string;
  readonly timeoutMs?: number;
};

export function tryQvd(place: Place, words: readonly string[], options: QvdOptions = {}): Promise<RunResult> {
  const { as, stdin } = options;
  const signedIn = as === undefined ? {} : { QVD_LOGIN: as.login, QVD_PASSWORD: as.password };
  return run([place.executable, ...words], {
    env: { ...place.env, QVD_API_URL: place.watUrl, QVD_API_CA: place.caCertificate, ...signedIn },
    timeoutMs: options.timeoutMs ?? 60_000,
    ...(stdin === undefined ? {} : { stdin }),
  });
}

/** Returns stdout; throws with what the command said. */
export async function qvd(place: Place, words: readonly string[], options: QvdOptions = {}): Promise<string> {
  const result = await tryQvd(place, words, options);
  if (result.exitCode === 0) return result.stdout;
  throw new Error(`\`qvd ${words.join(" ")}\` ended with ${result.exitCode}: ${result.stderr.trim()}`);
}
