import { readFile } from "node:fs/promises";

/** Debian's bundle of the authorities that the machine's owner trusts, local ones included. */
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

/** PEM; empty where the machine has none, and then only what a setting names is trusted. */
export async function readSystemAuthorities(): Promise<string> {
  // A machine without ca-certificates trusts nobody, which is what the empty text says.
  return await readFile(BUNDLE, "utf8").catch(() => "");
}
