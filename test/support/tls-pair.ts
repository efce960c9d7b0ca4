import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { runOk } from "../../src/lib/run.ts";

const NEW_KEYS = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
  rsa: ["-newkey", "rsa:2048"],
} as const;

/** A self-signed certificate and its key, P-256 or RSA, as PEM texts. */
export async function createTlsPair(
  kind: "ec" | "rsa" = "ec",
): Promise<{ tlsKey: string; tlsCertificate: string }> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-tls-`);
  try {
    await runOk("make a certificate", [
      ...["openssl", "req", "-x509", "-nodes", ...NEW_KEYS[kind]],
      ...["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-keyout", `${folder}/key`, "-out", `${folder}/crt`],
    ]);
    return {
      tlsKey: readFileSync(`${folder}/key`, "utf8"),
      tlsCertificate: readFileSync(`${folder}/crt`, "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
