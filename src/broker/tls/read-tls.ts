/**
 * Reads what the QVD port shows and asks in TLS from its files, and says what is wrong with them by setting,
 * file and cause, before any connection depends on it. `openssl` proves revocation lists: node:crypto can't read them.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { AppError } from "../../lib/errors.ts";
import { run } from "../../lib/run.ts";
import type { BrokerTls, ClientCertificates } from "./broker-tls.ts";

export type TlsFile = { readonly path: string; readonly setting: string };

export type TlsFiles = {
  readonly key: TlsFile;
  readonly certificate: TlsFile;
  /** Undefined: clients aren't asked for a certificate. */
  readonly clients?:
    | {
        readonly isRequired: boolean;
        readonly authorities: TlsFile;
        readonly revoked?: TlsFile | undefined;
        readonly siteAuthority: TlsFile;
      }
    | undefined;
};

export type ReadTls = {
  readonly tls: BrokerTls;
  /** When the certificate itself lapses, in milliseconds since 1970. */
  readonly certificateEndsAtMs: number;
  /** What isn't valid at this time, in words. Good enough where there is nothing better, never to replace what is. */
  readonly lapsed: string | undefined;
  /** Of the files, taken before they were read: others mean that something was replaced. */
  readonly signs: string;
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const REVOCATION_LIST = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/** All files, for whoever watches them. */
export function listTlsFiles({ key, certificate, clients }: TlsFiles): readonly TlsFile[] {
  const ofClients = clients && [clients.authorities, clients.revoked, clients.siteAuthority];
  return [key, certificate, ...(ofClients ?? [])].filter((file) => file !== undefined);
}

/** Throws `bad-input` that names the setting, the file and the cause. */
export async function readTls(files: TlsFiles, nowMs: number): Promise<ReadTls> {
  const signs = await readSigns(files);
  const tlsKey = await readText(files.key);
  const tlsCertificate = await readText(files.certificate);
  const leaf = parseCertificates(files.certificate, tlsCertificate)[0];
  if (leaf === undefined) throw fault(files.certificate, "it holds no certificate in PEM");
  checkPair(files, leaf, tlsKey);
  const clients = files.clients && (await readClients(files.clients, nowMs));
  return {
    tls: { tlsKey, tlsCertificate, ...(clients && { clients: clients.certificates }) },
    certificateEndsAtMs: Date.parse(leaf.validTo),
    lapsed: findLapse(files.certificate, leaf, nowMs) ?? clients?.lapsed,
    signs,
  };
}

/** Differs when one of the files was replaced or written to. */
export async function readSigns(files: TlsFiles): Promise<string> {
  const signs = await Promise.all(
    listTlsFiles(files).map(({ path }) =>
      stat(path).then(
        ({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(),
        () => "none",
      ),
    ),
  );
  return signs.join(" ");
}

function checkPair({ key, certificate }: TlsFiles, leaf: X509Certificate, text: string): void {
  const parsed = attempt(key, "it holds no private key in PEM without a password", () =>
    createPrivateKey(text),
  );
  if (!leaf.checkPrivateKey(parsed))
    throw fault(certificate, `it isn't of the key in ${key.path} (${key.setting})`);
}

function findLapse(file: TlsFile, certificate: X509Certificate, nowMs: number): string | undefined {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (nowMs < from) return describe(file, `it isn't valid before ${new Date(from).toISOString()}`);
  return nowMs < to ? undefined : describe(file, `it lapsed at ${new Date(to).toISOString()}`);
}

async function readClients(files: NonNullable<TlsFiles["clients"]>, nowMs: number) {
  const authorities = await readText(files.authorities);
  const parsed = parseCertificates(files.authorities, authorities);
  if (parsed.length === 0) throw fault(files.authorities, "it holds no certificate in PEM");
  const certificates: ClientCertificates = {
    isRequired: files.isRequired,
    authorities,
    revoked: [],
    siteAuthority: await readText(files.siteAuthority),
  };
  if (files.revoked === undefined) return { certificates, lapsed: undefined };
  const revoked = (await readText(files.revoked)).match(REVOCATION_LIST) ?? [];
  if (revoked.length === 0) throw fault(files.revoked, "it holds no revocation list in PEM");
  const lapses: number[] = [];
  for (const list of revoked) lapses.push(await checkList(files.revoked, list, files.authorities));
  const firstMs = Math.min(...lapses);
  const text = () => `a list in it lapsed at ${new Date(firstMs).toISOString()}, so no client gets in`;
  const lapsed = nowMs < firstMs ? undefined : describe(files.revoked, text());
  return { certificates: { ...certificates, revoked, revokedEndsAtMs: firstMs }, lapsed };
}

/** When it lapses. Its signature is proved with the certificate of its issuer among `authorities`. */
async function checkList(file: TlsFile, list: string, authorities: TlsFile): Promise<number> {
  const command = ["openssl", "crl", "-noout", "-nextupdate", "-CAfile", authorities.path];
  const { exitCode, stdout, stderr } = await run(command, { stdin: list });
  if (exitCode !== 0 || !stderr.includes("verify OK"))
    throw fault(
      file,
      `a list in it is not signed by an authority of ${authorities.path} (${authorities.setting})`,
    );
  const until = Date.parse(/^nextUpdate=(.+)$/m.exec(stdout)?.[1] ?? "");
  // A list that names no end is good until there is another.
  return Number.isNaN(until) ? Number.POSITIVE_INFINITY : until;
}

function parseCertificates(file: TlsFile, text: string): readonly X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  return blocks.map((block) =>
    attempt(file, "a certificate in it can't be read", () => new X509Certificate(block)),
  );
}

async function readText(file: TlsFile): Promise<string> {
  try {
    return await readFile(file.path, "utf8");
  } catch (cause) {
    const isDenied = cause instanceof Error && Reflect.get(cause, "code") === "EACCES";
    const advice = isDenied ? "the group qvd-tls may not read it" : "it can't be read";
    throw fault(file, advice, cause);
  }
}

function attempt<T>(file: TlsFile, reason: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw fault(file, reason, cause);
  }
}

function fault(file: TlsFile, reason: string, cause?: unknown): AppError {
  return new AppError("bad-input", describe(file, reason), { cause, field: file.setting });
}

function describe({ path, setting }: TlsFile, reason: string): string {
  return `The QVD port can't use ${path} (${setting}): ${reason}`;
}
