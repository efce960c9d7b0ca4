import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";

/** When the certificate in a PEM file lapses; undefined where there is no file or no certificate in it. */
export async function readCertificateEnd(path: string): Promise<Date | undefined> {
  try {
    return new Date(new X509Certificate(await readFile(path)).validTo);
  } catch {
    // The box never started, or brokers say in their logs what is wrong with it.
    return undefined;
  }
}
