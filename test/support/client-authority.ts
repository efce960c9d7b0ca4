/** An authority for clients' certificates with what it has revoked, in files of a folder, as a site keeps them. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { CLEAN_ENV, runOk } from "../../src/lib/run.ts";

export type ClientAuthority = {
  readonly folder: string;
  readonly certificate: string;
  readonly revoked: string;
  /** Paths without their endings `.key` and `.crt`. */
  readonly issue: (name: string, days?: number) => Promise<string>;
  readonly revoke: (name: string) => Promise<void>;
  /** Writes the list anew, good for two days unless it is for less. */
  readonly list: (seconds?: number) => Promise<void>;
};

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export async function createClientAuthority(name = "Clients of a test"): Promise<ClientAuthority> {
  const folder = mkdtempSync(`${tmpdir()}/qvd-authority-`);
  const openssl = (...words: readonly string[]) =>
    runOk("keep an authority", ["openssl", ...words], { cwd: folder, env: CLEAN_ENV });
  writeFileSync(`${folder}/index.txt`, "");
  writeFileSync(`${folder}/number`, "01\n");
  writeFileSync(`${folder}/leaf`, "basicConstraints=critical,CA:FALSE\n");
  writeFileSync(
    `${folder}/ca.cnf`,
    "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\n",
  );
  const own = ["-cert", "ca.crt", "-keyfile", "ca.key", "-config", "ca.cnf"];
  const certificate = `${folder}/ca.crt`;
  await openssl("req", "-x509", ...NEW_KEY, "-keyout", "ca.key", "-out", "ca.crt", "-subj", `/CN=${name}`);
  return {
    folder,
    certificate,
    revoked: `${folder}/crl.pem`,
    issue: async (who, days = 2) => {
      const subject = ["-subj", `/CN=${who}`];
      await openssl("req", ...NEW_KEY, "-keyout", `${who}.key`, "-out", `${who}.csr`, ...subject);
      const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "leaf"];
      await openssl("x509", "-req", "-in", `${who}.csr`, ...signer, "-days", `${days}`, "-out", `${who}.crt`);
      return `${folder}/${who}`;
    },
    revoke: async (who) => void (await openssl("ca", ...own, "-revoke", `${who}.crt`)),
    list: async (seconds = 2 * 86_400) =>
      void (await openssl("ca", ...own, "-gencrl", "-crlsec", `${seconds}`, "-out", "crl.pem")),
  };
}

/** The two texts of what `issue` returned. */
export function readPair(path: string): { readonly key: string; readonly cert: string } {
  return { key: readFileSync(`${path}.key`, "utf8"), cert: readFileSync(`${path}.crt`, "utf8") };
}
