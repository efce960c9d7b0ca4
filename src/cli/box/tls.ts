/**
 * The box's own authority and its certificate, made at the first start and renewed before they lapse. P-256,
 * because with it connections cost half of what RSA costs. A site's own certificate can take their place:
 * files that we did not sign are never touched.
 */

import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import type { Layout } from "../../domain/node/layout.ts";
import { AppError } from "../../lib/errors.ts";
import { run, runOk } from "../../lib/run.ts";

export type TlsOptions = {
  readonly layout: Layout;
  readonly hostName: string;
  /** Group that may read the key: broker and admin. */
  readonly keyGid: number;
};

const CA_DAYS = 3650;
const LEAF_DAYS = 397;
const RENEW_BEFORE_SECONDS = 30 * 86_400;
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** May be called at each start. */
export async function ensureTls(options: TlsOptions): Promise<void> {
  const { layout } = options;
  const caKey = `${layout.secretsFolder}/ca.key`;
  if (!existsSync(layout.caCertificate)) await makeAuthority(options, caKey);
  if (!existsSync(layout.tlsCertificate)) await makeLeaf(options, caKey);
  else if (existsSync(caKey) && (await isOurs(layout)) && (await isLapsing(layout.tlsCertificate)))
    await makeLeaf(options, caKey);
  await chown(layout.tlsKey, 0, options.keyGid);
  await chmod(layout.tlsKey, 0o640);
}

/** Addresses and names by which clients may call the box. */
export function listAltNames(hostName: string, addresses: readonly string[]): string {
  const names = [...new Set(["localhost", hostName])].map((name) => `DNS:${name}`);
  const own = addresses.filter((address) => !address.startsWith("fe80"));
  return [...names, ...[...new Set(["127.0.0.1", "::1", ...own])].map((address) => `IP:${address}`)].join(
    ",",
  );
}

async function makeAuthority({ layout, hostName }: TlsOptions, caKey: string): Promise<void> {
  const extensions = [
    ...["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ];
  const subject = [
    "-subj",
    `/CN=QVD authority of ${hostName}/serialNumber=${randomBytes(6).toString("hex")}`,
  ];
  const out = `${layout.caCertificate}.new`;
  await runOk("make the box's certificate authority", [
    ...["openssl", "req", "-x509", ...NEW_KEY, "-keyout", caKey, "-out", out],
    ...["-days", String(CA_DAYS), ...subject, ...extensions],
  ]);
  await chmod(caKey, 0o600);
  await chmod(out, 0o644);
  await rename(out, layout.caCertificate);
}

async function makeLeaf({ layout, hostName }: TlsOptions, caKey: string): Promise<void> {
  const addresses = Object.values(networkInterfaces()).flatMap(
    (one) => one?.map(({ address }) => address) ?? [],
  );
  const authority = { certificate: layout.caCertificate, key: caKey };
  const names = { commonName: hostName, altNames: listAltNames(hostName, addresses), days: LEAF_DAYS };
  await signLeaf(authority, names, async (key, certificate) => {
    await rename(key, layout.tlsKey);
    await rename(certificate, layout.tlsCertificate);
  });
}

export type LeafNames = { readonly commonName: string; readonly altNames: string; readonly days: number };

/** Makes a key and a certificate for it, as files beside the authority's key that `take` may move or read. */
export async function signLeaf<T>(
  authority: { readonly certificate: string; readonly key: string },
  { commonName, altNames, days }: LeafNames,
  take: (key: string, certificate: string) => Promise<T>,
): Promise<T> {
  const work = await mkdtemp(`${dirname(authority.key)}/tls-`);
  try {
    await writeFile(
      `${work}/extensions`,
      `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=${altNames}\n`,
    );
    await runOk("make the box's key", [
      ...["openssl", "req", "-new", ...NEW_KEY, "-keyout", `${work}/key`, "-out", `${work}/request`],
      ...["-subj", `/CN=${commonName.slice(0, 64)}`],
    ]);
    await runOk("sign the box's certificate", [
      ...["openssl", "x509", "-req", "-in", `${work}/request`, "-out", `${work}/certificate`],
      ...["-CA", authority.certificate, "-CAkey", authority.key],
      ...["-set_serial", `0x${randomBytes(16).toString("hex")}`],
      ...["-days", String(days), "-extfile", `${work}/extensions`],
    ]);
    return await take(`${work}/key`, `${work}/certificate`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function isOurs({ caCertificate, tlsCertificate }: Layout): Promise<boolean> {
  const [authority, leaf] = [await readCertificate(caCertificate), await readCertificate(tlsCertificate)];
  return leaf.verify(authority.publicKey);
}

async function readCertificate(path: string): Promise<X509Certificate> {
  const text = await readFile(path);
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new AppError(
      "bad-input",
      `Looking at the box's certificate: ${path} holds none in PEM. Put one there, or remove it for a new one to be made.`,
      { cause },
    );
  }
}

async function isLapsing(certificate: string): Promise<boolean> {
  const command = [
    "openssl",
    "x509",
    "-in",
    certificate,
    "-noout",
    "-checkend",
    String(RENEW_BEFORE_SECONDS),
  ];
  return (await run(command)).exitCode !== 0;
}
