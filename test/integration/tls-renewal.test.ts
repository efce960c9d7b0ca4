/** Whose certificate a box renews at its start, and when. With openssl, as root. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { ensureTls } from "../../src/cli/box/tls.ts";
import { readCertificateEnd } from "../../src/cli/node/read-certificate-end.ts";
import { type Layout, layoutOf } from "../../src/domain/node/layout.ts";
import { runOk } from "../../src/lib/run.ts";

let folder: string;
let layout: Layout;
beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/qvd-tls-`);
  layout = layoutOf(folder, `${folder}/run`);
  await mkdir(layout.secretsFolder, { recursive: true });
  await start();
});
afterEach(() => rm(folder, { recursive: true }));

const start = () => ensureTls({ layout, hostName: "box7", keyGid: 0 });
const leaf = () => readFile(layout.tlsCertificate, "utf8");

/** Puts a certificate of the box's key in the place of its own. */
async function replaceLeaf(days: number, issuer: "ours" | "another"): Promise<string> {
  const authority = ["-CA", layout.caCertificate, "-CAkey", `${layout.secretsFolder}/ca.key`];
  await runOk("sign a certificate", [
    ...["openssl", "req", "-x509", "-new", "-key", layout.tlsKey, "-subj", "/CN=box7"],
    ...(issuer === "ours" ? authority : []),
    ...["-days", `${days}`, "-out", layout.tlsCertificate],
  ]);
  return await leaf();
}

test("a start leaves a certificate that holds for long", async () => {
  const before = await replaceLeaf(32, "ours");
  await start();
  expect(await leaf()).toBe(before);
});

test("a start renews the box's own within 30 days of its end, under the same authority", async () => {
  const authority = await readFile(layout.caCertificate, "utf8");
  await replaceLeaf(29, "ours");
  await start();
  const end = await readCertificateEnd(layout.tlsCertificate);
  expect((Number(end) - Date.now()) / 86_400_000).toBeGreaterThan(390);
  expect(await readFile(layout.caCertificate, "utf8")).toBe(authority);
  expect(new X509Certificate(await leaf()).verify(new X509Certificate(authority).publicKey)).toBe(true);
});

test("a start never touches a certificate that another authority signed", async () => {
  const before = await replaceLeaf(2, "another");
  await start();
  expect(await leaf()).toBe(before);
});

test("a start says so when there is no certificate in the file", async () => {
  await writeFile(layout.tlsCertificate, "nothing\n");
  await expect(start()).rejects.toThrow(/tls\.crt holds none in PEM/);
});

test("a file that holds no certificate has no end", async () => {
  expect(await readCertificateEnd(`${folder}/none`)).toBeUndefined();
  expect(await readCertificateEnd(layout.tlsKey)).toBeUndefined();
});
