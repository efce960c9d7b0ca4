import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { runOk } from "../../src/lib/run.ts";

/** A self-signed P-256 certificate and its key, as PEM texts. */
export async function createTlsPair(): Promise<{ tlsKey: string; tlsCertificate: string }> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-tls-`);
  try {
    await runOk("make a certificate", [
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
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
